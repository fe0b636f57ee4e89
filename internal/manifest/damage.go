package manifest

import (
	"slices"
	"strings"
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
	if p := errorValue(s); p != nil {
		return p
	}
	if p := scientific(what, s); p != nil {
		return p
	}
	if isDate(s) {
		return &problem{codeDamaged, what + " " + quote(s) + " is a date: a spreadsheet took the number for one", asText}
	}
	if whole, ok := decimal(s); ok {
		return &problem{codeDamaged, what + " " + quote(s) + " is written as a decimal number", "probably " + whole + "; " + asText}
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

// isDate recognises 01/02/2026, 1.2.2026, 2026-02-01, 1-Feb, Feb-26.
func isDate(s string) bool {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '-' || r == '.' })
	switch len(parts) {
	case 3:
		if !allDigits(strings.Join(parts, "")) {
			return false
		}
		lengths := [3]int{len(parts[0]), len(parts[1]), len(parts[2])}
		return lengths[1] <= 2 && (lengths[0] == 4 && lengths[2] <= 2 || lengths[0] <= 2 && lengths[2] == 4) &&
			len(s) == lengths[0]+lengths[1]+lengths[2]+2
	case 2:
		return isMonth(parts[1]) && allDigits(parts[0]) && len(parts[0]) <= 2 ||
			isMonth(parts[0]) && allDigits(parts[1]) && len(parts[1]) <= 4
	}
	return false
}

func isMonth(s string) bool {
	return len(s) == 3 && strings.Contains("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(s)) &&
		strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(s))%3 == 0
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
