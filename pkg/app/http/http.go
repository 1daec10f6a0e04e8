// Package http reads HTTP/1.x (RFC 9112) from both directions of a flow: bytes go in, transactions with the buffers that
// signatures look at come out. It is as lenient as clients are, since a server that lies about lengths, encodings and line
// ends would otherwise hide what it sends.
package http

import "citygate/pkg/app/layer"

// Config bounds what a parser keeps and does. The zero value of a field means its default.
type Config struct {
	RequestBody  int // bytes of a decoded request body that are kept
	ResponseBody int // bytes of a decoded response body that are kept
	Layers       int // content encodings undone on top of each other, at most 4
	Line         int // bytes of a first line or header that are kept
	Head         int // bytes of all headers of a message that are kept
	Fields       int // headers of a message that are kept
	Transactions int // open transactions of a flow
}

// The defaults are Suricata's, so that a rule set sees the same with both.
const (
	defaultBody         = 100 << 10
	defaultLayers       = 2
	defaultLine         = 18000
	defaultHead         = 64 << 10 // the fields are in one slice of the pool
	defaultFields       = 1024
	defaultTransactions = 512

	maxLayers = 4       // size of the chain in a body
	maxBody   = 1 << 20 // the pool lends no larger slices
)

// ports are where HTTP is expected; detection goes by content.
var ports = []uint16{80, 81, 82, 83, 85, 88, 591, 3128, 5000, 5985, 7000, 7547, 8000, 8008, 8080, 8081, 8086, 8088, 8090, 8099, 8181, 8888, 9000, 9080, 49152}

// Protocol is HTTP's line in the table of protocols, with the default limits.
func Protocol() *layer.Protocol { return ProtocolWith(Config{}) }

// ProtocolWith is HTTP's line in the table of protocols with other limits.
func ProtocolWith(c Config) *layer.Protocol {
	c.fill()
	return &layer.Protocol{
		Proto:  layer.HTTP,
		TCP:    true,
		Ports:  ports,
		Probe:  probe,
		New:    func(p *layer.Pool) layer.Parser { return newParser(&c, p) },
		Events: eventNames[:],
	}
}

func (c *Config) fill() {
	set := func(v *int, def, limit int) {
		if *v <= 0 {
			*v = def
		}
		*v = min(*v, limit)
	}
	set(&c.RequestBody, defaultBody, maxBody)
	set(&c.ResponseBody, defaultBody, maxBody)
	set(&c.Layers, defaultLayers, maxLayers)
	set(&c.Line, defaultLine, defaultHead)
	set(&c.Head, defaultHead, maxBody/2)
	set(&c.Fields, defaultFields, 1<<14)
	set(&c.Transactions, defaultTransactions, 1<<14)
}
