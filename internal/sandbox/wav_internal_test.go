package sandbox

import (
	"encoding/binary"
	"math"
	"testing"
)

// wav makes a file of the given byte rate out of chunks.
func wav(byteRate uint32, beforeData string, data int) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVE")
	b = append(b, "fmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, byteRate)
	b = append(b, "\x02\x00\x10\x00"...)
	b = append(b, beforeData...)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(data))
	return append(b, make([]byte, data)...)
}

func TestTheLengthOfAWAVFile(t *testing.T) {
	streamed := wav(16000, "", 8000)
	binary.LittleEndian.PutUint32(streamed[40:], math.MaxUint32)
	short := wav(16000, "", 16000)[:44+4000]
	tests := map[string]struct {
		file []byte
		want float64
		err  string
	}{
		"8 kHz, 16 bit":                      {file: wav(16000, "", 48160), want: 3.01},
		"A-law":                              {file: wav(8000, "", 4000), want: 0.5},
		"16 kHz":                             {file: wav(32000, "", 72960), want: 2.28},
		"chunks before the data, one padded": {file: wav(8000, "LIST\x03\x00\x00\x00abc\x00fact\x04\x00\x00\x00\x00\x00\x00\x00", 800), want: 0.1},
		"a length that a stream left open":   {file: streamed, want: 0.5},
		"a file that was cut":                {file: short, want: 0.25},
		"generated":                          {file: tone("x", 4.1), want: 4.1},
		"no data at all":                     {file: wav(8000, "", 0), want: 0},
		"empty":                              {err: "audio file is not a RIFF/WAVE file"},
		"MP3":                                {file: []byte("ID3\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"), err: "audio file is not a RIFF/WAVE file"},
		"data before fmt":                    {file: []byte("RIFF0000WAVEdata\x00\x00\x00\x00"), err: "audio file has no fmt chunk before its data"},
		"a short fmt chunk":                  {file: []byte("RIFF0000WAVEfmt \x02\x00\x00\x00xx"), err: "audio file has a fmt chunk of 2 bytes, want at least 16"},
		"no data chunk":                      {file: wav(8000, "", 0)[:36], err: "audio file has no data chunk"},
		"a byte rate of 0":                   {file: wav(0, "", 8), err: "audio file has no fmt chunk before its data"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := wavSeconds(test.file)
			switch {
			case test.err != "" && (err == nil || err.Error() != test.err):
				t.Errorf("got %v, want %s", err, test.err)
			case test.err == "" && (err != nil || hundredths(got) != test.want):
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	if got := len(tone("x", 1.36)); got != toneSize(1.36) {
		t.Errorf("a tone has %d bytes, announced are %d", got, toneSize(1.36))
	}
}

func TestTheAcceptHeaderChoosesTheRepresentation(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "application/json": false, "*/*": false, "audio/wav": true, "audio/*": true, "audio/x-wav, application/json": true,
		"application/json, audio/*": false, "application/json;q=0.5, audio/wav": true, "audio/wav;q=0.1, */*": false,
		"text/html, audio/wav": true, "audio/wav;q=0": false, ";;": false,
	} {
		if got := wantsAudio(accept); got != want {
			t.Errorf("Accept %q: audio %t, want %t", accept, got, want)
		}
	}
}

// FuzzWAV: whatever is uploaded, its length is a finite number of seconds that
// the file can hold, or an error.
func FuzzWAV(f *testing.F) {
	for _, seed := range [][]byte{wav(16000, "", 16), wav(8000, "LIST\x03\x00\x00\x00abc\x00", 3), []byte("RIFF0000WAVEdata"), tone("y", 0.01)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		seconds, err := wavSeconds(file)
		if err == nil && (math.IsNaN(seconds) || seconds < 0 || seconds > float64(len(file))) {
			t.Errorf("%d bytes last %v seconds", len(file), seconds)
		}
	})
}
