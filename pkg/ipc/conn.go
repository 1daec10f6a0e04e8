package ipc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What the launcher leaves in the environment: the inherited channels of a process, such as "guard=3,journal=4",
// and the descriptors of the boot record and of the API's listener.
const (
	ChannelsEnv = "CITYGATE_CHANNELS"
	BootEnv     = "CITYGATE_BOOT"
	ListenerEnv = "CITYGATE_LISTENER"
)

// Conn is one end of a channel. One goroutine may receive while others send.
type Conn struct {
	self, peer Process
	file       *os.File
	raw        syscall.RawConn
	out, in    []*budget
	recv       sync.Mutex
}

// Received is a message and the file descriptors that came with it; they are the receiver's to close.
type Received struct {
	Message Message
	FDs     []int
}

// NewPair makes a channel between two processes.
func NewPair(a, b Process) (*Conn, *Conn, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a channel between %v and %v: %w", a, b, err)
	}
	ca, errA := newConn(a, b, fds[0])
	cb, errB := newConn(b, a, fds[1])
	return ca, cb, errors.Join(errA, errB)
}

// Inherit opens the channel to peer that the launcher left in the environment.
func Inherit(self, peer Process) (*Conn, error) {
	fd, ok := inherited()[peer.String()]
	if !ok {
		return nil, fmt.Errorf("%v has no channel to %v in %s: it is started by citygate-launch", self, peer, ChannelsEnv)
	}
	c, err := newConn(self, peer, fd)
	lasting.Store(fd, c)
	return c, err
}

// lasting keeps the garbage collector from closing a channel that its process has no more use for: the peer would take
// that for the process's end.
var lasting sync.Map

// InheritedFDs are the descriptors of all inherited channels.
func InheritedFDs() (fds []int) {
	for _, fd := range inherited() {
		fds = append(fds, fd)
	}
	return fds
}

func inherited() map[string]int {
	channels := map[string]int{}
	for _, word := range strings.Split(os.Getenv(ChannelsEnv), ",") {
		name, number, _ := strings.Cut(word, "=")
		if fd, err := strconv.Atoi(number); err == nil && fd > 2 {
			channels[name] = fd
		}
	}
	return channels
}

func newConn(self, peer Process, fd int) (*Conn, error) {
	syscall.CloseOnExec(fd)
	// A non-blocking descriptor waits in the runtime's poller, so that Close ends a Recv.
	notSet := syscall.SetNonblock(fd, true)
	file := os.NewFile(uintptr(fd), "channel to "+peer.String())
	raw, err := file.SyscallConn()
	if err = errors.Join(notSet, err); err != nil {
		return nil, fmt.Errorf("channel from %v to %v: %w", self, peer, err)
	}
	return &Conn{
		self: self, peer: peer, file: file, raw: raw,
		out: budgets(self, peer, 0), in: budgets(peer, self, queueSlack),
	}, nil
}

// File is the descriptor, for handing it to a child process.
func (c *Conn) File() *os.File { return c.file }

// Close ends the channel and a Recv that waits.
func (c *Conn) Close() error { return c.file.Close() }

// Send says a message. It waits while the message's budget is spent or the peer's queue is full: who must not wait
// keeps a bounded queue before it. The descriptors stay the caller's. A message that the table does not know is an error.
func (c *Conn) Send(m Message, fds ...int) error {
	data, b := encode(c.out, m)
	if b == nil || len(fds) != b.fds {
		return fmt.Errorf("%v may not say %T with %d descriptors to %v", c.self, m, len(fds), c.peer)
	}
	if len(data) > MaxMessage {
		return fmt.Errorf("%T of %d bytes is over the %d that a message may have", m, len(data), MaxMessage)
	}
	time.Sleep(b.spend())
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	var sendErr error
	err := c.raw.Write(func(fd uintptr) bool {
		sendErr = syscall.Sendmsg(int(fd), data, rights, nil, syscall.MSG_NOSIGNAL)
		return sendErr != syscall.EAGAIN && sendErr != syscall.EINTR
	})
	if err != nil { // only Close does that
		sendErr = os.ErrClosed
	}
	if sendErr != nil {
		return fmt.Errorf("say %T to %v: %w", m, c.peer, sendErr)
	}
	return nil
}

// Recv waits for a message. The error is io.EOF when the peer is gone, os.ErrClosed after Close, and a *Violation when
// the peer broke the rules; the channel is then closed.
func (c *Conn) Recv() (Received, error) {
	c.recv.Lock()
	defer c.recv.Unlock()
	data, fds, err := c.datagram()
	if err != nil {
		return Received{}, err
	}
	m, err := c.judge(data, fds)
	if err != nil {
		closeAll(fds)
		_ = c.Close()
		return Received{}, &Violation{From: c.peer, Why: err.Error()}
	}
	return Received{Message: m, FDs: fds}, nil
}

// judge decodes a datagram, or says why it may not be.
func (c *Conn) judge(data []byte, fds []int) (Message, error) {
	if int(data[0]) >= len(c.in) {
		return nil, fmt.Errorf("message %d is not one that it may say", data[0])
	}
	b := c.in[data[0]]
	m, err := b.read(data[1:])
	switch {
	case len(data) > MaxMessage:
		err = errors.New("it is too long")
	case len(fds) != b.fds:
		err = fmt.Errorf("%d file descriptors came with it, want %d", len(fds), b.fds)
	case b.spend() > 0:
		err = errors.New("it came more often than its budget allows")
	}
	if err != nil {
		return nil, fmt.Errorf("message %d: %w", data[0], err)
	}
	return m, nil
}

// encode gives the datagram of a message: its place in the table, then its fields; nil if it is not there.
func encode(out []*budget, m Message) ([]byte, *budget) {
	for i, b := range out {
		if data, ok := b.write([]byte{byte(i)}, m); ok {
			return data, b
		}
	}
	return nil, nil
}

// datagram reads at least one byte. A datagram that is too long has MaxMessage+1 bytes.
func (c *Conn) datagram() (data []byte, fds []int, err error) {
	buf, control := make([]byte, MaxMessage+1), make([]byte, syscall.CmsgSpace(8*4))
	var n, controlLen int
	var recvErr error
	err = c.raw.Read(func(fd uintptr) bool {
		n, controlLen, _, _, recvErr = syscall.Recvmsg(int(fd), buf, control, syscall.MSG_CMSG_CLOEXEC)
		return recvErr != syscall.EAGAIN && recvErr != syscall.EINTR
	})
	if err != nil { // only Close does that
		return nil, nil, os.ErrClosed
	}
	if recvErr != nil && recvErr != syscall.ECONNRESET {
		return nil, nil, fmt.Errorf("listen to %v: %w", c.peer, recvErr)
	}
	// The kernel closes descriptors that do not fit into control; rights skips what it cannot read.
	if fds = rights(control[:controlLen]); n == 0 || recvErr != nil {
		closeAll(fds)
		return nil, nil, io.EOF
	}
	return buf[:n], fds, nil
}

func rights(control []byte) (fds []int) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		if got, err := syscall.ParseUnixRights(&m); err == nil {
			fds = append(fds, got...)
		}
	}
	return fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}
