package manifest

import "strings"

// otherwords are what people call a column that Rainbow calls otherwise, in lower case without signs.
var otherwords = map[string]string{
	"action": "__action__", "mail": "loginEmail", "email": "email0", "login": "loginEmail", "user": "loginEmail",
	"extension": "shortNumber", "shortnumber": "shortNumber", "subscriber": "shortNumber",
	"mac": "macAddress", "device": "macAddress", "ddi": "ddiE164Number", "did": "ddiE164Number", "e164": "ddiE164Number",
	"phone": "businessPhone0", "mobile": "mobilePhone0", "tag": "tags0", "surname": "lastName", "name": "lastName",
	"licence": "service0", "license": "service0", "offer": "service0", "pwd": "password", "pbx": "pbxId", "job": "jobTitle",
	"locale": "language", "tz": "timezone", "photo": "photoUrl",
}

// suggestColumn gives the column that a wrong name probably means, or nothing.
func suggestColumn(name string) string {
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" _-./", r) {
			return -1
		}
		return r
	}, name))
	stem := strings.TrimRight(plain, "0123456789")
	digits := plain[len(stem):]
	var names []string
	for i := range columns {
		known := columns[i].name
		if columns[i].numbered {
			if known += digits; digits == "" {
				known += "0"
			}
			if strings.EqualFold(stem, columns[i].name) {
				return known
			}
		}
		if strings.ReplaceAll(strings.ToLower(known), "_", "") == plain {
			return known
		}
		names = append(names, known)
	}
	if known, ok := otherwords[stem]; ok {
		if digits != "" && strings.HasSuffix(known, "0") {
			return strings.TrimSuffix(known, "0") + digits
		}
		return known
	}
	return nearest(plain, names)
}

// nearest gives the one of names with the smallest edit distance from s, case aside, if it is near enough to be meant.
func nearest(s string, names []string) string {
	best, bestDistance := "", max(1, len(s)/3)+1
	if len(s) > 60 {
		return ""
	}
	for _, name := range names {
		if len(name) > 2*len(s)+8 {
			continue
		}
		if d := distance(s, strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is the Levenshtein distance, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
