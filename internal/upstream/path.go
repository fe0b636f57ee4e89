package upstream

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// parsePath compiles a path template whose variables are fields of input. A segment is a literal or a variable as a
// whole; the last may be {name=**}.
func parsePath(template string, input protoreflect.MessageDescriptor) (Path, error) {
	path := Path{Template: template}
	if !strings.HasPrefix(template, "/") || template == "/" {
		return path, errors.New("path does not begin with a segment")
	}
	var errs []error
	texts := strings.Split(template[1:], "/")
	for i, text := range texts {
		segment, err := parseSegment(text, input, i == len(texts)-1)
		if err != nil {
			errs = append(errs, fmt.Errorf("segment %q: %w", text, err))
			continue
		}
		path.Segments = append(path.Segments, segment)
	}
	return path, errors.Join(errs...)
}

func parseSegment(text string, input protoreflect.MessageDescriptor, last bool) (Segment, error) {
	name, variable := strings.CutPrefix(text, "{")
	if !variable {
		if text == "" || text == "." || text == ".." || strings.ContainsAny(text, "{}*:?#%") {
			return Segment{}, errors.New("not a plain literal")
		}
		return Segment{Literal: text}, nil
	}
	name, closed := strings.CutSuffix(name, "}")
	name, multi := strings.CutSuffix(name, "=**")
	if !closed || name == "" || strings.ContainsAny(name, "{}*=:") {
		return Segment{}, errors.New("not a variable {field} or {field=**}")
	}
	if multi && !last {
		return Segment{}, errors.New("{field=**} is not the last segment")
	}
	fields, err := resolve(input, name)
	return Segment{Variable: name, Fields: fields, Multi: multi}, err
}

// resolve follows a field path to a single scalar.
func resolve(md protoreflect.MessageDescriptor, path string) ([]protoreflect.FieldDescriptor, error) {
	var fields []protoreflect.FieldDescriptor
	for _, name := range strings.Split(path, ".") {
		if md == nil {
			return nil, fmt.Errorf("field %s: only the last may be a scalar", path)
		}
		fd := md.Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			return nil, fmt.Errorf("field %s: not in %s", name, md.FullName())
		}
		fields = append(fields, fd)
		md = fd.Message()
	}
	last := fields[len(fields)-1]
	if last.IsList() || !isParam(last.Kind()) {
		return nil, fmt.Errorf("field %s: not a single scalar", path)
	}
	return fields, nil
}

// isParam tells whether a value of kind k can travel in a path, a query or a header.
func isParam(k protoreflect.Kind) bool {
	switch k {
	case protoreflect.StringKind, protoreflect.BoolKind, protoreflect.Int32Kind, protoreflect.Uint32Kind,
		protoreflect.FloatKind, protoreflect.DoubleKind:
		return true
	}
	return false
}

// appendPath appends the escaped path of a request.
func (p *Path) appendPath(dst []byte, req protoreflect.Message) ([]byte, error) {
	for i := range p.Segments {
		s := &p.Segments[i]
		dst = append(dst, '/')
		if s.Variable == "" {
			dst = appendEscaped(dst, s.Literal)
			continue
		}
		value, err := pathValue(req, s.Fields)
		if err != nil {
			return dst, fmt.Errorf("%s: %w", s.Variable, err)
		}
		if err := checkValue(value); err != nil {
			return dst, fmt.Errorf("%s: %w", s.Variable, err)
		}
		if !s.Multi {
			dst = appendEscaped(dst, value)
			continue
		}
		for j, part := range strings.Split(value, "/") {
			if part == "" {
				return dst, fmt.Errorf("%s: a part of a path value can't be empty", s.Variable)
			}
			if j > 0 {
				dst = append(dst, '/')
			}
			dst = appendEscaped(dst, part)
		}
	}
	return dst, nil
}

// checkValue refuses what would name another operation, to upstream or to a server in front of it.
func checkValue(value string) error {
	switch {
	case value == "":
		return errors.New("a path value can't be empty")
	case strings.ContainsAny(value, "\\\x00"):
		return errors.New("a path value can't hold a backslash or a zero byte")
	case HasDotSegment(value):
		return errors.New("a path value can't hold a dot segment")
	}
	return nil
}

func pathValue(m protoreflect.Message, fields []protoreflect.FieldDescriptor) (string, error) {
	last := len(fields) - 1
	for _, fd := range fields[:last] {
		m = m.Get(fd).Message()
	}
	return paramText(m.Get(fields[last]), fields[last].Kind())
}

// paramText spells a scalar as JSON would, strings without quotes.
func paramText(v protoreflect.Value, k protoreflect.Kind) (string, error) {
	switch k {
	case protoreflect.StringKind:
		return v.String(), nil
	case protoreflect.BoolKind:
		return strconv.FormatBool(v.Bool()), nil
	case protoreflect.Int32Kind:
		return strconv.FormatInt(v.Int(), 10), nil
	case protoreflect.Uint32Kind:
		return strconv.FormatUint(v.Uint(), 10), nil
	}
	if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
		return "", errors.New("number is not finite")
	}
	bits := 64
	if k == protoreflect.FloatKind {
		bits = 32
	}
	return strconv.FormatFloat(v.Float(), 'f', -1, bits), nil
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends s with everything but the unreserved characters of RFC 3986 escaped, so that it is right in
// a path segment and in a query alike.
func appendEscaped(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
