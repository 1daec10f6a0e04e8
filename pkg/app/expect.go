package app

import (
	"citygate/pkg/app/ftp"
	"citygate/pkg/app/layer"
)

// Expected is the next connection that this one announced and that was not asked for yet.
func (c *Conn) Expected() (e ftp.Expect, ok bool) {
	if p, is := c.parser.(*ftp.Parser); is {
		return p.Expected()
	}
	return e, false
}

// ExpectData makes this the data connection of a transfer.
func (c *Conn) ExpectData(t *Table, transfer *ftp.Transfer) {
	c.Expect(t, layer.FTPData)
	if d, ok := c.parser.(*ftp.Data); ok {
		d.Attach(transfer)
	}
}
