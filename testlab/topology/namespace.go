package topology

import (
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// space is a network namespace that lives as long as its handle, and a netlink socket in it.
type space struct {
	handle netns.NsHandle
	nl     *netlink.Handle
}

// newSpace makes a network namespace without entering it for longer than that takes.
func newSpace() (*space, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("open the own network namespace: %w", err)
	}
	defer home.Close()
	handle, err := netns.New()
	if err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	if err := netns.Set(home); err != nil {
		// The thread is lost in the new namespace; nothing else may run on it.
		panic(fmt.Sprintf("return to the own network namespace: %v", err))
	}
	nl, err := netlink.NewHandleAt(handle)
	if err != nil {
		return nil, fmt.Errorf("open netlink in a new namespace: %w", err)
	}
	return &space{handle: handle, nl: nl}, nil
}

func (s *space) close() {
	s.nl.Close()
	s.handle.Close()
}

// do runs f on a thread inside the namespace, for what has no handle: sysctl files and ethtool's ioctls.
func (s *space) do(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		if err := netns.Set(s.handle); err != nil {
			done <- fmt.Errorf("enter a network namespace: %w", err)
			return
		}
		done <- f()
	}()
	return <-done
}

// sysctl writes settings, given as path below /proc/sys/net and value.
func (s *space) sysctl(settings ...[2]string) error {
	return s.do(func() error {
		for _, set := range settings {
			if err := os.WriteFile("/proc/sys/net/"+set[0], []byte(set[1]), 0o644); err != nil {
				return fmt.Errorf("set net/%s to %s: %w", set[0], set[1], err)
			}
		}
		return nil
	})
}
