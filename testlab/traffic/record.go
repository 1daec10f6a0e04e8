package traffic

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Recorder writes all frames of an interface to a file.
type Recorder struct {
	fd   int
	out  *os.File
	done chan error
	end  atomic.Int64 // when to stop, in ns; 0 before that is known
}

const (
	recordBuffer = 256 << 20 // of the packet socket: it never drops
	frameLimit   = 64 << 10
	linkEthernet = 1
)

// NewRecorder records from now on what passes an interface of the calling thread's network namespace, as a pcap file.
func NewRecorder(device, path string) (*Recorder, error) {
	link, err := net.InterfaceByName(device)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", device, err)
	}
	all := int(htons(unix.ETH_P_ALL))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	tick := unix.NsecToTimeval(int64(50 * time.Millisecond)) // how often the end is looked for
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, recordBuffer),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tick),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: link.Index}),
	)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("record %s: %w", device, err)
	}
	out, err := os.Create(path)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	r := &Recorder{fd: fd, out: out, done: make(chan error, 1)}
	go func() { r.done <- r.run() }()
	return r, nil
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }

// run writes a pcap file with nanoseconds, up to the last frame before the end.
func (r *Recorder) run() error {
	w := bufio.NewWriterSize(r.out, 1<<20)
	le := binary.LittleEndian
	head := le.AppendUint16(le.AppendUint16(le.AppendUint32(nil, 0xa1b23c4d), 2), 4)
	head = le.AppendUint32(le.AppendUint32(append(head, make([]byte, 8)...), frameLimit), linkEthernet)
	if _, err := w.Write(head); err != nil {
		return err
	}
	frame, control := make([]byte, frameLimit), make([]byte, 128)
	for {
		n, cn, _, _, err := unix.Recvmsg(r.fd, frame, control, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if r.ended(time.Now()) {
				return w.Flush()
			}
			continue
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("record: %w", err)
		}
		at, err := stamp(control[:cn])
		if err != nil {
			return err
		}
		if r.ended(at) {
			return w.Flush()
		}
		h := le.AppendUint32(head[:0], uint32(at.Unix()))
		h = le.AppendUint32(h, uint32(at.Nanosecond()))
		h = le.AppendUint32(le.AppendUint32(h, uint32(n)), uint32(n))
		if _, err := w.Write(h); err != nil {
			return err
		}
		if _, err := w.Write(frame[:n]); err != nil {
			return err
		}
	}
}

func (r *Recorder) ended(now time.Time) bool {
	end := r.end.Load()
	return end != 0 && now.UnixNano() > end
}

// stamp is the kernel's time of a frame (SCM_TIMESTAMPNS).
func stamp(control []byte) (time.Time, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a frame's time: %w", err)
	}
	for _, m := range messages {
		if m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
			ne := binary.NativeEndian
			return time.Unix(int64(ne.Uint64(m.Data)), int64(ne.Uint64(m.Data[8:]))), nil
		}
	}
	return time.Time{}, errors.New("a frame has no time")
}

// Stop ends the recording. A frame that the socket lost is an error.
func (r *Recorder) Stop() error {
	r.end.Store(time.Now().UnixNano())
	err := <-r.done
	stats, serr := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if serr == nil && stats.Drops > 0 {
		serr = fmt.Errorf("the recording lost %d frames", stats.Drops)
	}
	return errors.Join(err, serr, unix.Close(r.fd), r.out.Close())
}
