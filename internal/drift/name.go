package drift

// anyName stands for names that may be data.
const anyName = "{}"

// Bounds of a name that is shown.
const (
	maxName   = 40 // bytes
	maxDigits = 4
	maxMixed  = 3 // changes between letters and digits: h264Mp4 has three
)

// publicName is an undocumented name as it may be shown, or anyName. Members of an API are short words of ASCII letters
// with few digits; ids, numbers, addresses, dates and names of people used as keys mostly are not.
func publicName(name string) string {
	if name == "" || len(name) > maxName || isDigit(name[0]) {
		return anyName
	}
	digits, mixed := 0, 0
	for i := range len(name) {
		c := name[i]
		switch {
		case isDigit(c):
			digits++
		case !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-' || c == '$'):
			return anyName
		}
		if i > 0 && isDigit(c) != isDigit(name[i-1]) {
			mixed++
		}
	}
	if digits > maxDigits || mixed > maxMixed {
		return anyName
	}
	return name
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// join is the path of a member.
func join(object, name string) string {
	if object == "" || name == "" {
		return object + name
	}
	return object + "." + name
}

// shown is a path as reports show it; the document itself is "$".
func shown(path string) string {
	if path == "" {
		return "$"
	}
	return path
}
