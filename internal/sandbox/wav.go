package sandbox

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxAudio bounds an uploaded audio file, in bytes. The guide's remarks on the
// limits of uploads are lost, so the number is ours.
const maxAudio = 10 << 20

// wavSeconds measures a RIFF/WAVE file: the bytes of its data chunk over the
// byte rate of its fmt chunk, which holds for PCM, A-law and mu-law, and
// closely for ADPCM and GSM. A data chunk that claims more bytes than there
// are, as streaming recorders write it, ends with the file.
func wavSeconds(b []byte) (float64, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return 0, errors.New("audio file is not a RIFF/WAVE file")
	}
	rate, rest := uint32(0), b[12:]
	for len(rest) >= 8 {
		name, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:8]))
		body := rest[8:]
		if name == "data" {
			if rate == 0 {
				return 0, errors.New("audio file has no fmt chunk before its data")
			}
			return float64(min(size, uint64(len(body)))) / float64(rate), nil
		}
		if size > uint64(len(body)) {
			break
		}
		if name == "fmt " {
			if size < 16 {
				return 0, fmt.Errorf("audio file has a fmt chunk of %d bytes, want at least 16", size)
			}
			rate = binary.LittleEndian.Uint32(body[8:12])
		}
		rest = body[min(size+size%2, uint64(len(body))):]
	}
	return 0, errors.New("audio file has no data chunk")
}

// hundredths rounds seconds as the portal shows the duration of a greeting.
func hundredths(seconds float64) float64 { return math.Round(seconds*100) / 100 }

// Generated audio is 16-bit PCM, mono.
const (
	toneRate   = 8000 // samples a second
	wavHeading = 44   // bytes before the samples
)

// toneSize is the size in bytes of what tone makes.
func toneSize(seconds float64) int { return wavHeading + 2*toneSamples(seconds) }

func toneSamples(seconds float64) int { return int(math.Round(seconds * toneRate)) }

// tone generates the audio of a seeded file: a sine whose pitch depends on the
// id of the file, the same on every machine.
func tone(id string, seconds float64) []byte {
	samples := toneSamples(seconds)
	b := make([]byte, 0, wavHeading+2*samples)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(wavHeading-8+2*samples))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1) // PCM
	b = binary.LittleEndian.AppendUint16(b, 1) // channel
	b = binary.LittleEndian.AppendUint32(b, toneRate)
	b = binary.LittleEndian.AppendUint32(b, 2*toneRate)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*samples))
	pitch, _ := strconv.ParseUint(token("pitch", id, 2), 16, 8)
	step := 2 * math.Pi * float64(300+2*pitch) / toneRate
	for i := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(step*float64(i)))))
	}
	return b
}

// audioBody answers the uploaded audio and its length in seconds.
func (c *call) audioBody() (seconds float64, err error) {
	if len(c.body) > maxAudio {
		return 0, &apiError{
			Status: http.StatusRequestEntityTooLarge, Code: codeFileTooLarge,
			Details: fmt.Sprintf("audio file has %d bytes, at most %d are allowed", len(c.body), maxAudio),
		}
	}
	if seconds, err = wavSeconds(c.body); err != nil {
		return 0, badRequest("%s", err)
	}
	return seconds, nil
}

// audioFile is the content of an uploaded file. It is kept apart from the
// document about the file, so that a change of that one does not write the
// audio to the data file again.
type audioFile struct {
	ID      string `json:"id"`
	Content []byte `json:"content"`
}

// audioAnswer sends a file under its name.
func audioAnswer(contentType, fileName string, content []byte) *rawAnswer {
	return &rawAnswer{
		contentType: contentType,
		disposition: mime.FormatMediaType("attachment", map[string]string{"filename": fileName}),
		body:        content,
	}
}

// wantsAudio tells which representation of a file the Accept header selects:
// the audio when an audio type is preferred, else the JSON descriptor, also for
// a missing header and for */*. Of equally weighted types the first wins.
func wantsAudio(accept string) bool {
	type choice struct {
		audio  bool
		weight float64
	}
	var choices []choice
	for _, part := range strings.Split(accept, ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		c := choice{audio: strings.HasPrefix(kind, "audio/"), weight: 1}
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			c.weight = q
		}
		if c.audio || kind == "application/json" || kind == "application/*" || kind == "*/*" {
			choices = append(choices, c)
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.weight, a.weight) })
	return len(choices) > 0 && choices[0].audio && choices[0].weight > 0
}
