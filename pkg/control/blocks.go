package control

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/ipc"
)

const (
	blocksFile = "blocks.json"
	maxBlocks  = 4096
)

// blockKey is a pair without direction: the smaller address first.
type blockKey struct{ a, b netip.Addr }

func keyOf(a, b netip.Addr) blockKey {
	if b.Less(a) {
		a, b = b, a
	}
	return blockKey{a, b}
}

func (c *Control) loadBlocks() {
	var list []api.Block
	if c.load(blocksFile, &list) {
		for _, b := range list {
			c.blocks[keyOf(b.Src, b.Dst)] = b
		}
	}
}

// Blocks lists the blocks that are in force, the latest last.
func (c *Control) Blocks() []api.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	maps.DeleteFunc(c.blocks, func(_ blockKey, b api.Block) bool { return !b.Until.IsZero() && !b.Until.After(now) })
	list := slices.Collect(maps.Values(c.blocks))
	slices.SortFunc(list, func(a, b api.Block) int {
		if n := a.Since.Compare(b.Since); n != 0 {
			return n
		}
		return a.Src.Compare(b.Src)
	})
	return list
}

// blocked finds the block of a pair.
func (c *Control) blocked(a, b netip.Addr) *api.Block {
	for _, found := range c.Blocks() {
		if keyOf(found.Src, found.Dst) == keyOf(a, b) {
			return &found
		}
	}
	return nil
}

// BlocksWithHits is the list with the frames that each stopped, on all bridges, in both directions.
func (c *Control) BlocksWithHits() (api.Blocks, error) {
	hits := map[blockKey]uint64{}
	for _, b := range c.Boot.Bridges {
		t := c.Kernel.bridge(b.Name)
		if t == nil {
			continue
		}
		found, err := t.Blocks()
		if err != nil {
			return api.Blocks{}, err
		}
		for _, f := range found {
			hits[keyOf(f.Src, f.Dst)] += f.Hits
		}
	}
	out := api.Blocks{Blocks: []api.Block{}}
	for _, b := range c.Blocks() {
		b.Hits = hits[keyOf(b.Src, b.Dst)]
		out.Blocks = append(out.Blocks, b)
	}
	return out, nil
}

// AddBlock blocks a pair; a second block of it replaces the first.
func (c *Control) AddBlock(ctx context.Context, who Caller, r api.BlockRequest) (b api.Block, err error) {
	c.change.Lock()
	defer c.change.Unlock()
	defer func() { c.audit(who, "block", fmt.Sprintf("%v %v", r.Src, r.Dst), r.Reason, err) }()
	switch {
	case !r.Src.IsValid() || !r.Dst.IsValid() || r.Src == r.Dst || r.Src.Is4() != r.Dst.Is4():
		return b, fmt.Errorf("%w: src and dst are not two addresses of one family", errInvalid)
	case r.Src.Zone() != "" || r.Dst.Zone() != "":
		return b, fmt.Errorf("%w: an address has a zone", errInvalid)
	case len(r.Reason) > ipc.MaxReason:
		return b, fmt.Errorf("%w: the reason is longer than %d bytes", errInvalid, ipc.MaxReason)
	case len(c.Blocks()) >= maxBlocks:
		return b, fmt.Errorf("%w: there are %d blocks; lift one first", errConflict, maxBlocks)
	}
	b = api.Block{Src: r.Src.Unmap(), Dst: r.Dst.Unmap(), Reason: r.Reason, By: who.String(), Since: c.Now().UTC()}
	if r.DurationS > 0 {
		b.Until = b.Since.Add(time.Duration(r.DurationS) * time.Second)
	}
	if err := c.Guard.Block(ctx, b.Src, b.Dst, b.Until, b.Reason); err != nil {
		return b, fmt.Errorf("block %v and %v: %w", b.Src, b.Dst, err)
	}
	c.mu.Lock()
	c.blocks[keyOf(b.Src, b.Dst)] = b
	c.mu.Unlock()
	c.save(blocksFile, c.Blocks())
	return b, nil
}

// LiftBlock takes a block away.
func (c *Control) LiftBlock(ctx context.Context, who Caller, src, dst netip.Addr) (b api.Block, err error) {
	c.change.Lock()
	defer c.change.Unlock()
	defer func() { c.audit(who, "lift", fmt.Sprintf("%v %v", src, dst), "", err) }()
	found := c.blocked(src.Unmap(), dst.Unmap())
	if found == nil {
		return b, fmt.Errorf("%w: %v and %v are not blocked", errNotFound, src, dst)
	}
	if err := c.Guard.Lift(ctx, found.Src, found.Dst); err != nil {
		return b, fmt.Errorf("lift the block of %v and %v: %w", src, dst, err)
	}
	c.mu.Lock()
	delete(c.blocks, keyOf(src.Unmap(), dst.Unmap()))
	c.mu.Unlock()
	c.save(blocksFile, c.Blocks())
	return *found, nil
}

// resendBlocks tells a guard that has just started of all blocks.
func (c *Control) resendBlocks(ctx context.Context) error {
	for _, b := range c.Blocks() {
		if err := c.Guard.Block(ctx, b.Src, b.Dst, b.Until, b.Reason); err != nil {
			return fmt.Errorf("block %v and %v again: %w", b.Src, b.Dst, err)
		}
	}
	return nil
}
