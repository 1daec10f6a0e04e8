package signature

import "fmt"

// target is the side that is attacked.
var target = Keyword{
	Name: "target", Where: Meta,
	Doc: "the side that is attacked: src_ip or dest_ip",
	Parse: func(b *Builder, value string) error {
		if value != "src_ip" && value != "dest_ip" {
			return fmt.Errorf("%q is neither src_ip nor dest_ip", shorten(value))
		}
		b.Target = value
		return nil
	},
}
