package signature

import "errors"

// msg is the text of the alert.
var msg = Keyword{
	Name: "msg", Where: Meta,
	Doc: "the alert's text, in double quotes",
	Parse: func(b *Builder, value string) error {
		switch {
		case !b.Quoted:
			return errors.New(`the text must be in double quotes, such as msg:"text";`)
		case b.has("msg"):
			return errOnce
		}
		b.Msg = unescape(value)
		return nil
	},
}
