package signature

import (
	"citygate/pkg/app/ftp"
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// ftpBounce matches a client that has the server connect to somebody else (CERT CA-1997-27).
var ftpBounce = Keyword{
	Name: "ftpbounce", Where: OnHeader,
	Doc: "an FTP client names another address than its own in PORT or EPRT",
	Parse: func(b *Builder, value string) error {
		if err := noValue(value); err != nil {
			return err
		}
		b.Add(Match{})
		return b.ofTx(layer.FTP)
	},
	Eval: func(c *Context, _ *Match) bool {
		t, ok := c.Tx.(*ftp.Tx)
		if !ok || c.Direction != flow.ToServer || t.Verb != ftp.Port && t.Verb != ftp.EPRT || !t.DataAddr.IsValid() {
			return false
		}
		client := c.Packet.Tuple.Src
		return client.IsValid() && t.DataAddr.Addr().Unmap() != client.Unmap()
	},
}
