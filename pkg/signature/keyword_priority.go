package signature

// priority is how severe the alert is.
var priority = Keyword{
	Name: "priority", Where: Meta,
	Doc: "how severe the alert is, 1 (most) to 255; it wins over that of classtype",
	Parse: func(b *Builder, value string) error {
		if b.has("priority") {
			return errOnce
		}
		n, err := parseNumber(value, 1, 255)
		if err == nil {
			b.Priority = uint32(n)
		}
		return err
	},
}
