package syncserver

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
)

const violationsMost = 50

// violations collects what is wrong with a request, so that a caller is told all of it at once.
// A request that is wrong in more than violationsMost places is told the first of them.
type violations []*errdetails.BadRequest_FieldViolation

func (v *violations) add(field, format string, args ...any) {
	if len(*v) == violationsMost {
		return
	}
	*v = append(*v, &errdetails.BadRequest_FieldViolation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// name checks a resource name and gives the parts that the pattern's stars stand for, empty ones when it is wrong.
func (v *violations) name(field, value, pattern string) []string {
	ids, err := parseName(value, pattern)
	if err != nil {
		if value == "" {
			v.add(field, "required: %s", spoken(pattern))
		} else {
			v.add(field, "%v", err)
		}
		return make([]string, strings.Count(pattern, "*"))
	}
	return ids
}

// rune checks an option that is one character, such as a delimiter; 0 when it is not given.
func (v *violations) rune(field, value string) rune {
	r, size := utf8.DecodeRuneInString(value)
	switch {
	case value == "":
		return 0
	case size < len(value) || r == utf8.RuneError:
		v.add(field, "%s: want one character", quoted(value))
		return 0
	}
	return r
}

// oneOf checks a word, unless it is empty.
func (v *violations) oneOf(field, value string, words []string) {
	if value == "" {
		return
	}
	for _, w := range words {
		if w == value {
			return
		}
	}
	v.add(field, "%s: want %s", quoted(value), strings.Join(words, " or "))
}

// within checks a number.
func (v *violations) within(field string, value, low, high int32) {
	if value < low || value > high {
		v.add(field, "%d: want %d to %d", value, low, high)
	}
}

// enum checks that a number is one of an enum's.
func (v *violations) enum(field string, value int32, names map[int32]string) {
	if _, ok := names[value]; !ok {
		v.add(field, "%d: not a value of the enumeration", value)
	}
}

// err is nil when nothing is wrong.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	words := make([]string, len(v))
	for i, violation := range v {
		words[i] = violation.GetField() + ": " + violation.GetDescription()
	}
	return detailed(codes.InvalidArgument, "request: "+strings.Join(words, "; "),
		&errdetails.ErrorInfo{Reason: "INVALID_REQUEST", Domain: domain}, &errdetails.BadRequest{FieldViolations: v}).Err()
}

// invalid is one violation as an error.
func invalid(field, format string, args ...any) error {
	var v violations
	v.add(field, format, args...)
	return v.err()
}
