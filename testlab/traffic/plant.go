package traffic

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"golang.org/x/sync/errgroup"
)

const readings = 240 // of a controller

// servePlant opens Modbus/TCP controllers (Modbus Messaging on TCP/IP, 3.1.3): every register holds a number.
func servePlant(ctx context.Context) error {
	for i := range plantCount {
		l, err := net.Listen("tcp", at(plantAddr(i), 502))
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { l.Close() })
		go acceptAll(l, func(c net.Conn) {
			for {
				pdu, head, err := readModbus(c)
				if err != nil {
					return
				}
				if _, err := c.Write(modbusAnswer(head, pdu)); err != nil {
					return
				}
			}
		})
	}
	return nil
}

func readModbus(c io.Reader) (pdu []byte, head [7]byte, err error) {
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, head, err
	}
	n := int(binary.BigEndian.Uint16(head[4:])) - 1
	if n < 1 || n > 253 {
		return nil, head, fmt.Errorf("a PDU of %d bytes", n)
	}
	pdu = make([]byte, n)
	_, err = io.ReadFull(c, pdu)
	return pdu, head, err
}

func modbusAnswer(head [7]byte, pdu []byte) []byte {
	out := pdu
	switch pdu[0] {
	case 3, 4: // read registers: start, count
		n := int(binary.BigEndian.Uint16(pdu[3:]))
		out = []byte{pdu[0], byte(2 * n)}
		for i := range n {
			out = binary.BigEndian.AppendUint16(out, uint16(1000+i*7))
		}
	case 16: // write registers: the answer is start and count
		out = pdu[:5]
	}
	return modbusFrame(binary.BigEndian.Uint16(head[:]), head[6], out)
}

func modbusFrame(tx uint16, unit byte, pdu []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, tx)
	b = binary.BigEndian.AppendUint16(append(b, 0, 0), uint16(1+len(pdu)))
	return append(append(b, unit), pdu...)
}

// pollPlant reads registers all day, and now and then writes some.
func pollPlant(ctx context.Context, g *errgroup.Group) {
	for i := range plantCount {
		g.Go(func() error {
			c, err := from(vms).DialContext(ctx, "tcp", at(plantAddr(i), 502))
			if err != nil {
				return err
			}
			defer c.Close()
			return each(ctx, readings, func(n int) error {
				pdu := []byte{byte(3 + n%2), 0, byte(n), 0, byte(1 + n%60)}
				if n%40 == 39 {
					pdu = []byte{16, 0, 8, 0, 2, 4, 0, byte(n), 0, 1}
				}
				if _, err := c.Write(modbusFrame(uint16(n), byte(i+1), pdu)); err != nil {
					return err
				}
				_, _, err := readModbus(c)
				return err
			})
		})
	}
}
