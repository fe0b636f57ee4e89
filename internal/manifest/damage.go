package manifest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// asText says how to keep a spreadsheet from damaging numbers.
const asText = "format the column as text, and type the value again"

// errorValues are what spreadsheets write for a formula without result.
var errorValues = []string{"#N/A", "#NV", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!"}

// errorValue tells whether a cell holds a spreadsheet's error instead of a value.
func errorValue(s string) *problem {
	if s == "" || s[0] != '#' {
		return nil
	}
	if slices.Contains(errorValues, s) {
		return &problem{codeDamaged, "cell holds the spreadsheet error " + quote(s) + " instead of a value",
			"mend the formula, or type the value"}
	}
	if len(s) >= 4 && strings.Trim(s, "#") == "" {
		return &problem{codeDamaged, "cell holds " + quote(s) + ", what a spreadsheet shows when a column is too narrow",
			"widen the column and save again"}
	}
	return nil
}

// damage recognises what spreadsheets make of a number that they do not take for text. what names the number.
func damage(what, s string) *problem {
	if s == "" || allDigits(s) {
		return nil
	}
	for _, recognise := range []func(what, s string) *problem{
		func(_, s string) *problem { return errorValue(s) }, scientific, date, separated, apostrophe, formulaText,
	} {
		if p := recognise(what, s); p != nil {
			return p
		}
	}
	if whole, ok := decimal(s); ok {
		return &problem{codeDamaged, what + " " + quote(s) + " is written as a decimal number", "probably " + whole + "; " + asText}
	}
	return nil
}

// textDamage recognises what spreadsheets make of text: errors and numbers that were cut short. Dates may be meant.
func textDamage(s string) *problem {
	if p := errorValue(s); p != nil {
		return p
	}
	if c := s[len(s)-1]; c < '0' || c > '9' || strings.IndexByte(s, '+') < 0 {
		return nil
	}
	return scientific("value", s)
}

// separated recognises thousands separators: 81,011 or 33 298 300 513.
func separated(what, s string) *problem {
	groups := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",.' \u00a0\u202f\u2019", r) })
	if len(groups) < 2 || len(groups[0]) > 3 || !allDigits(strings.Join(groups, "")) {
		return nil
	}
	separator := ""
	rest := strings.TrimPrefix(s, groups[0])
	for _, g := range groups[1:] {
		i := strings.Index(rest, g)
		if len(g) != 3 || i <= 0 || separator != "" && rest[:i] != separator {
			return nil
		}
		separator, rest = rest[:i], rest[i+3:]
	}
	if rest != "" || utf8.RuneCountInString(separator) != 1 {
		return nil
	}
	return &problem{codeDamaged, what + " " + quote(s) + " has thousands separators", "probably " + strings.Join(groups, "") + "; " + asText}
}

// apostrophe recognises the sign by which spreadsheets know text, when it came along.
func apostrophe(what, s string) *problem {
	rest, ok := strings.CutPrefix(s, "'")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "\u2019"); !ok {
			return nil
		}
	}
	return &problem{codeDamaged, what + " " + quote(s) + " begins with the apostrophe by which a spreadsheet marks text",
		"probably " + rest + "; leave the apostrophe out when you save"}
}

// formulaText recognises ="81011", by which people keep spreadsheets from changing numbers.
func formulaText(what, s string) *problem {
	if inner, ok := strings.CutPrefix(s, "=\""); ok && strings.HasSuffix(inner, "\"") {
		return &problem{codeDamaged, what + " " + quote(s) + " is a formula", "probably " + strings.TrimSuffix(inner, "\"") + "; write it without =\"\""}
	}
	return nil
}

// scientific recognises 3.33E+10.
func scientific(what, s string) *problem {
	mantissa, power, ok := strings.Cut(strings.ToUpper(s), "E+")
	if !ok || power == "" || len(power) > 3 || !allDigits(power) {
		return nil
	}
	whole, fraction, _ := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	if len(whole) != 1 || !allDigits(whole+fraction) {
		return nil
	}
	exponent := 0
	for _, d := range power {
		exponent = 10*exponent + int(d-'0')
	}
	hint := ""
	switch {
	case len(fraction) == exponent:
		hint = "probably " + whole + fraction + "; "
	case exponent < 20:
		hint = "it was a number of " + plural(exponent+1, "digit", "digits") + " that begins with " + whole + fraction + "; the rest is lost: "
	}
	return &problem{codeDamaged, what + " " + quote(s) + " is in scientific notation", hint + asText}
}

// decimal recognises 81011.0 and 81011,00 and gives 81011.
func decimal(s string) (string, bool) {
	i := strings.LastIndexAny(s, ".,")
	if i <= 0 || i == len(s)-1 || len(s)-i > 3 || strings.Trim(s[i+1:], "0") != "" {
		return "", false
	}
	whole := strings.TrimPrefix(s[:i], "+")
	return whole, whole != "" && allDigits(whole)
}

// date recognises 01/02/2026, 1.2.2026, 2026-02-01, 1-Feb, Feb-26, and says what was probably typed.
func date(what, s string) *problem {
	original, ok := fromDate(s)
	if !ok {
		return nil
	}
	return &problem{codeDamaged, what + " " + quote(s) + " is a date: a spreadsheet took the number for one", original + asText}
}

func fromDate(s string) (original string, is bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '-' || r == '.' })
	switch len(parts) {
	case 3:
		if !allDigits(strings.Join(parts, "")) {
			return "", false
		}
		lengths := [3]int{len(parts[0]), len(parts[1]), len(parts[2])}
		return "", lengths[1] <= 2 && (lengths[0] == 4 && lengths[2] <= 2 || lengths[0] <= 2 && lengths[2] == 4) &&
			len(s) == lengths[0]+lengths[1]+lengths[2]+2
	case 2:
		day, month := parts[0], monthOf(parts[1])
		if month == 0 {
			day, month = parts[1], monthOf(parts[0])
		}
		if month == 0 || !allDigits(day) || len(day) > 4 {
			return "", false
		}
		if day = strings.TrimLeft(day, "0"); len(day) > 2 || day == "" {
			return "", true
		}
		return fmt.Sprintf("probably %s-%d or %s/%d, or the other way round; ", day, month, day, month), true
	}
	return "", false
}

// monthOf is the number of a month of three letters, as English spreadsheets write it; 0 for none.
func monthOf(s string) int {
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(s))
	if len(s) != 3 || i < 0 || i%3 != 0 {
		return 0
	}
	return i/3 + 1
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// digitsOf keeps the digits of s.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
