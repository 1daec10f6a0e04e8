package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"citygate/pkg/ipc"
)

const (
	readyTime = 30 * time.Second // for all processes to set themselves up
	stopTime  = 3 * time.Second  // from SIGTERM to SIGKILL

	togetherTime = 50 * time.Millisecond // in which others end because one did
)

// group is the processes that run and end together.
type group struct {
	*launcher
	boot  *ipc.Boot
	cmds  map[ipc.Process]*exec.Cmd
	conns map[ipc.Process]*ipc.Conn
	alive map[ipc.Process]bool
	exits []ipc.ProcessExit
	ended chan ipc.Process
	heard chan hearing
}

// hearing is what a process said to the launcher: nil, it is ready; an error, it broke the channel's rules.
type hearing struct {
	process ipc.Process
	err     error
}

// runGroup applies the box's own firewall, starts a process of each kind, and returns when all have ended: with the new
// boot record if the config changed, else with the reason.
func (l *launcher) runGroup(ctx context.Context, b *ipc.Boot, reload <-chan os.Signal) (*ipc.Boot, error) {
	record, err := seal(b)
	if err != nil {
		return nil, err
	}
	defer record.Close()
	if err := l.once(ctx, b, record, ofTheRules, "firewall"); err != nil {
		return nil, err
	}
	g := &group{
		launcher: l, boot: b,
		cmds: map[ipc.Process]*exec.Cmd{}, conns: map[ipc.Process]*ipc.Conn{}, alive: map[ipc.Process]bool{},
		ended: make(chan ipc.Process, len(workers)), heard: make(chan hearing, hearings*len(workers)),
	}
	defer g.stop()
	if err := g.start(record); err != nil {
		return nil, err
	}
	next, err := g.watch(ctx, reload)
	l.exits = g.exits
	return next, err
}

// start starts the processes with channels between those that talk.
func (g *group) start(record *os.File) error {
	for p := range workers {
		g.cmds[p] = command(context.Background(), p.String())
		g.give(p, ipc.BootEnv, record)
	}
	g.give(ipc.Control, ipc.ListenerEnv, g.listener)
	theirs, err := g.connect()
	for p := range workers {
		if err == nil {
			err = g.startOne(p)
		}
	}
	for _, c := range theirs {
		_ = c.Close()
	}
	return err
}

func (g *group) give(p ipc.Process, variable string, f *os.File) {
	g.cmds[p].Env = append(g.cmds[p].Env, fmt.Sprintf("%s=%d", variable, inherit(g.cmds[p], f)))
}

// connect makes the channels, and gives the ends that are not the launcher's.
func (g *group) connect() (theirs []*ipc.Conn, err error) {
	names := map[ipc.Process][]string{}
	for _, pair := range ipc.Channels() {
		a, b, err := ipc.NewPair(pair[0], pair[1])
		if err != nil {
			return theirs, err
		}
		for i, end := range []*ipc.Conn{a, b} {
			if pair[i] == ipc.Launch {
				g.conns[pair[1-i]] = end
				continue
			}
			theirs = append(theirs, end)
			names[pair[i]] = append(names[pair[i]], fmt.Sprintf("%v=%d", pair[1-i], inherit(g.cmds[pair[i]], end.File())))
		}
	}
	for p, n := range names {
		g.cmds[p].Env = append(g.cmds[p].Env, ipc.ChannelsEnv+"="+strings.Join(n, ","))
	}
	return theirs, nil
}

func (g *group) startOne(p ipc.Process) error {
	gid := g.boot.UID(p)
	if group := operators(); p == ipc.Journal && group != 0 {
		gid = uint32(group) // who may read its files
	}
	ended, err := g.launcher.start(g.cmds[p], workers[p], g.boot.UID(p), gid)
	if err != nil {
		return err
	}
	g.alive[p] = true
	go func() {
		<-ended
		g.ended <- p
	}()
	go g.hear(p)
	return nil
}

// hearings is how often a process is heard: it is ready once, and breaks the rules once.
const hearings = 2

// hear passes on what a process says to the launcher, until its channel ends.
func (g *group) hear(p ipc.Process) {
	for range hearings {
		_, err := g.conns[p].Recv()
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
			return
		}
		g.heard <- hearing{p, err}
	}
}

// watch returns when a process has ended or all should.
func (g *group) watch(ctx context.Context, reload <-chan os.Signal) (*ipc.Boot, error) {
	late := time.After(readyTime)
	ready := map[ipc.Process]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-reload:
			if next := g.reread(ctx); next != nil {
				return next, nil
			}
		case p := <-g.ended:
			return nil, g.exited(p)
		case h := <-g.heard:
			if h.err != nil {
				g.exits = append(g.exits, ipc.ProcessExit{Process: h.process, Violator: h.process, Restarts: g.restarts})
				return nil, h.err
			}
			ready[h.process] = true
			g.logf("%v is ready (pid %d)", h.process, g.cmds[h.process].Process.Pid)
			if len(ready) == len(workers) {
				late = nil
				if err := g.up(); err != nil {
					return nil, err
				}
			}
		case <-late:
			return nil, fmt.Errorf("only %d of %d processes were ready after %v", len(ready), len(workers), readyTime)
		}
	}
}

// up tells who wants to know that all processes are ready.
func (g *group) up() error {
	g.logf("all processes are ready")
	for _, e := range g.launcher.exits {
		if err := g.conns[ipc.Control].Send(e); err != nil {
			return err
		}
	}
	return notify("READY=1")
}

// reread gives the new boot record, nil if the old one stays.
func (g *group) reread(ctx context.Context) *ipc.Boot {
	next, err := g.readConfig(ctx)
	if err == nil && next.RunDir != g.boot.RunDir {
		err = errors.New("run_dir has changed: stop the gateway and start it again")
	}
	if err != nil {
		g.logf("the old config stays: %v", err)
		return nil
	}
	return next
}

// exited notes how a process ended, and those that end with it: when one goes, its peers often do before they are told.
func (g *group) exited(p ipc.Process) error {
	for late := time.After(togetherTime); ; {
		delete(g.alive, p)
		state := g.cmds[p].ProcessState
		code := state.ExitCode()
		e := ipc.ProcessExit{Process: p, Code: int32(code), Violator: ipc.Violator(code), Restarts: g.restarts}
		if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
			e.Signal = int32(status.Signal())
		}
		g.exits = append(g.exits, e)
		g.logf("%v has ended: %v", p, state) // whom it accuses, if it does, it has said itself
		select {
		case p = <-g.ended:
		case <-late:
			g.exits = causes(g.exits)
			return errors.New("the processes run only together")
		}
	}
}

// causes leaves out the processes that ended because others did: those end by themselves, where others were killed,
// accuse a peer or failed.
func causes(exits []ipc.ProcessExit) []ipc.ProcessExit {
	weight := func(e ipc.ProcessExit) int {
		switch {
		case e.Signal != 0 || e.Violator != 0:
			return 2
		case e.Code != 0:
			return 1
		}
		return 0
	}
	most := 0
	for _, e := range exits {
		most = max(most, weight(e))
	}
	return slices.DeleteFunc(exits, func(e ipc.ProcessExit) bool { return weight(e) < most })
}

// stop ends what still runs, the journal last, so that it keeps what the others have to say.
func (g *group) stop() {
	for _, wave := range [][]ipc.Process{{ipc.Guard, ipc.Control, ipc.Watch}, {ipc.Journal}} {
		g.signal(wave, syscall.SIGTERM)
		late := time.After(stopTime)
		for slices.ContainsFunc(wave, func(p ipc.Process) bool { return g.alive[p] }) {
			select {
			case p := <-g.ended:
				delete(g.alive, p)
			case <-late:
				g.signal(wave, syscall.SIGKILL)
			}
		}
	}
	for _, c := range g.conns {
		_ = c.Close()
	}
}

func (g *group) signal(wave []ipc.Process, s syscall.Signal) {
	for _, p := range wave {
		if g.alive[p] {
			_ = g.cmds[p].Process.Signal(s)
		}
	}
}
