package jsoncodec

import (
	"math"
	"strconv"
)

// scanNumber returns the position behind the number that begins at pos.
func scanNumber(src []byte, pos int) (int, error) {
	start := pos
	if pos < len(src) && src[pos] == '-' {
		pos++
	}
	switch {
	case pos < len(src) && src[pos] == '0':
		pos++
	case pos < len(src) && '1' <= src[pos] && src[pos] <= '9':
		pos = skipDigits(src, pos)
	case pos == start:
		return pos, syntax(pos, reasonValue)
	default:
		return pos, syntax(pos, reasonNumber)
	}
	if pos < len(src) && src[pos] == '.' {
		from := pos + 1
		if pos = skipDigits(src, from); pos == from {
			return pos, syntax(pos, reasonNumber)
		}
	}
	if pos < len(src) && (src[pos] == 'e' || src[pos] == 'E') {
		from := pos + 1
		if from < len(src) && (src[from] == '+' || src[from] == '-') {
			from++
		}
		if pos = skipDigits(src, from); pos == from {
			return pos, syntax(pos, reasonNumber)
		}
	}
	return pos, nil
}

func skipDigits(src []byte, pos int) int {
	for pos < len(src) && '0' <= src[pos] && src[pos] <= '9' {
		pos++
	}
	return pos
}

// parseInteger reads a number that is spelled as strconv would spell it and lies within min and max.
func parseInteger(number []byte, min, max int64) (n int64, ok bool) {
	digits := number
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) > 10 { // neither kind has more
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(number) {
		if n == 0 {
			return 0, false // -0
		}
		n = -n
	}
	return n, min <= n && n <= max
}

// parseFloat reads a number if appendFloat spells it the same.
func parseFloat(number []byte, bits int) (f float64, ok bool) {
	if len(number) <= 7 { // integers that even a float32 holds
		if n, ok := parseInteger(number, math.MinInt32, math.MaxInt32); ok {
			return float64(n), true
		}
	}
	f, err := strconv.ParseFloat(string(number), bits)
	if err != nil {
		return 0, false
	}
	var room [32]byte
	return f, string(appendFloat(room[:0], f, bits)) == string(number)
}

// appendFloat spells a finite number as ECMAScript does, since that is what wrote most of Rainbow's documents; but
// the negative zero keeps its sign.
func appendFloat(dst []byte, f float64, bits int) []byte {
	size := math.Abs(f)
	if size == 0 || (1e-6 <= size && size < 1e21) {
		return strconv.AppendFloat(dst, f, 'f', -1, bits)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
	if n := len(dst); n-start >= 4 && dst[n-4] == 'e' && dst[n-2] == '0' { // 1e-09 is 1e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}
