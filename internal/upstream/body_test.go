package upstream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestBodiesAreReadUpToTheLimit(t *testing.T) {
	broken := errors.New("connection reset")
	for _, tt := range []struct {
		name          string
		body          io.Reader
		length, limit int64
		want          string
		err           error
	}{
		{"of the promised length", strings.NewReader("abc"), 3, 9, "abc", nil},
		{"nothing, as promised", strings.NewReader(""), 0, 9, "", nil},
		{"nothing, not promised", strings.NewReader(""), -1, 9, "", nil},
		{"byte by byte", iotest.OneByteReader(strings.NewReader("abc")), -1, 9, "abc", nil},
		{"as long as may be", strings.NewReader("abc"), -1, 3, "abc", nil},
		{"longer than may be", strings.NewReader("abcd"), -1, 3, "abcd", ErrTooLarge},
		{"promised longer than may be", strings.NewReader("abcd"), 4, 3, "", ErrTooLarge},
		{"that breaks off", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)), -1, 9, "ab", broken},
		{"shorter than promised", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrUnexpectedEOF)), 3, 9, "ab", io.ErrUnexpectedEOF},
		{"long, and shorter than promised", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrUnexpectedEOF)), promised + 1, promised + 9, "ab", io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(tt.body, tt.length, tt.limit)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestABodyIsNobodyElses reads bodies of all sizes at once, and looks at each when the others have been read.
func TestABodyIsNobodyElses(t *testing.T) {
	var group sync.WaitGroup
	for reader := range 8 {
		group.Go(func() {
			var got, want [][]byte
			for turn, size := range []int{1, promised, promised + 1, 1 << 20, gatheredMost + 1, 100, 1 << 20, promised + 1, 7} {
				sent := bytes.Repeat([]byte{byte('a' + reader), byte('0' + turn)}, size/2+1)
				body, err := readAll(bytes.NewReader(sent), -1, 64<<20)
				if err != nil {
					t.Error(err)
				}
				got, want = append(got, body), append(want, sent)
			}
			for i := range got {
				if !bytes.Equal(got[i], want[i]) {
					t.Errorf("reader %d: body %d, of %d bytes, was written over", reader, i, len(want[i]))
				}
			}
		})
	}
	group.Wait()
}
