package attacker

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
	"citygate/testlab/topology"
)

// Order asks for Count attacks of a kind, from number First on.
type Order struct {
	Kind  string    `json:"kind"`
	Side  flow.Side `json:"side"`
	Seed  uint32    `json:"seed"`
	First uint32    `json:"first"`
	Count int       `json:"count"`
	PPS   int       `json:"pps"` // 0: DefaultPPS
}

// Limits of an order.
const (
	DefaultPPS = 4000
	MaxCount   = 100_000
)

// Done says what became of an order.
type Done struct {
	Attacks int `json:"attacks"` // tagged frames that the socket took
	Frames  int `json:"frames"`  // with those that prepare them
	Refused int `json:"refused"` // tagged frames that the socket refused
}

// Sender puts frames on a host's wire. Its exported methods of two arguments are called over net/rpc.
type Sender struct {
	host topology.Host
	fd   int
}

// NewSender opens a packet socket on eth0, or on a switch's uplink.
func NewSender(host topology.Host) (*Sender, error) {
	name := "eth0"
	if host.Role == topology.Switch {
		name = topology.Uplink
	}
	link, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: link.Index}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind a packet socket to %s: %w", name, err)
	}
	return &Sender{host: host, fd: fd}, nil
}

// Run waits for orders until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	<-ctx.Done()
	return unix.Close(s.fd)
}

func (s *Sender) write(frame []byte) error {
	_, err := unix.Write(s.fd, frame)
	return err
}

// Attack carries out an order.
func (s *Sender) Attack(o Order, out *Done) error {
	if o.Count < 0 || o.Count > MaxCount {
		return fmt.Errorf("an order of %d attacks is not from 0 to %d", o.Count, MaxCount)
	}
	p := newPace(o.PPS, DefaultPPS)
	for n := range o.Count {
		frames, err := Frames(o.Kind, o.Side, o.Seed, o.First+uint32(n))
		if err != nil {
			return err
		}
		for i, f := range frames {
			p.wait()
			err := s.write(f)
			switch last := i == len(frames)-1; {
			case err != nil && last:
				out.Refused++
			case err == nil && last:
				out.Attacks++
				out.Frames++
			case err == nil:
				out.Frames++
			}
		}
	}
	return nil
}

// Flood asks for Count allowed UDP packets, each of a flow of its own.
type Flood struct {
	Count int `json:"count"`
	PPS   int `json:"pps"`
	First int `json:"first"` // number of the first flow
}

// The flows of a flood: source ports of the upper half, destination ports below those that video servers use.
const (
	floodSources = 1 << 15
	floodTargets = 30000
	MaxFlood     = floodSources * floodTargets
	floodPPS     = 40_000
)

// Flood sends packets of an allowed pair and service, a new five-tuple with each.
func (s *Sender) Flood(f Flood, out *Done) error {
	if f.Count < 0 || f.First < 0 || f.First+f.Count > MaxFlood {
		return fmt.Errorf("a flood of %d flows from %d is not within %d", f.Count, f.First, MaxFlood)
	}
	scene := newScene(s.host.Side)
	frame := udp4(scene.listed, scene.peer, 1, 1, newDice(Tag{}))
	const ports, checksum = 14 + 20, 14 + 20 + 6
	binary.BigEndian.PutUint16(frame[checksum:], 0) // RFC 768: no checksum
	p := newPace(f.PPS, floodPPS)
	for n := f.First; n < f.First+f.Count; n++ {
		binary.BigEndian.PutUint16(frame[ports:], uint16(1<<15+n%floodSources))
		binary.BigEndian.PutUint16(frame[ports+2:], uint16(2000+n/floodSources%floodTargets))
		clear(frame[len(frame)-TagLen:]) // it is no attack
		p.wait()
		if err := s.write(frame); err != nil {
			out.Refused++
			continue
		}
		out.Frames++
	}
	return nil
}

// pace spreads frames over time, in small bursts.
type pace struct {
	burst, sent int
	every       time.Duration
	next        time.Time
}

const bursts = 500 // a second, at most

func newPace(pps, byDefault int) *pace {
	if pps <= 0 {
		pps = byDefault
	}
	burst := max(1, pps/bursts)
	return &pace{burst: burst, every: time.Second * time.Duration(burst) / time.Duration(pps), next: time.Now()}
}

func (p *pace) wait() {
	if p.sent++; p.sent%p.burst != 0 {
		return
	}
	p.next = p.next.Add(p.every)
	if ahead := time.Until(p.next); ahead > 0 {
		time.Sleep(ahead)
	} else if ahead < -time.Second {
		p.next = time.Now() // never catch up a long pause with one burst
	}
}
