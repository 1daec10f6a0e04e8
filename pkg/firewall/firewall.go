// Package firewall turns the config's management section into the box's own nftables table. It is about the box itself:
// what crosses the bridge never passes here.
package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

var table = &nftables.Table{Family: nftables.TableFamilyINet, Name: "citygate"}

// Apply replaces table inet citygate, in one transaction, by the one that m asks for: input on the management interface
// drops by default, other interfaces are left alone. Without an interface there is no table.
func Apply(m ipc.Management) error {
	if m.Interface == "" {
		return Remove()
	}
	return change(func(c *nftables.Conn) error {
		c.AddTable(table)
		return (&chain{conn: c, rules: newChain(c)}).fill(m)
	})
}

// Remove takes the table away; it need not be there.
func Remove() error { return change(func(*nftables.Conn) error { return nil }) }

// change deletes the table and does the rest in the same transaction. Deleting needs that it exists, so it is added first.
func change(rest func(*nftables.Conn) error) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	c.AddTable(table)
	c.DelTable(table)
	if err := rest(c); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("change nftables table inet %s: %w", table.Name, err)
	}
	return nil
}

func newChain(c *nftables.Conn) *nftables.Chain {
	policy := nftables.ChainPolicyDrop
	return c.AddChain(&nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput,
		Priority: nftables.ChainPriorityFilter, Policy: &policy,
	})
}

// chain is the input chain while it is filled.
type chain struct {
	conn  *nftables.Conn
	rules *nftables.Chain
}

func (c *chain) fill(m ipc.Management) error {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, m.Interface)
	// Loopback, too, is another interface.
	c.accept(meta(expr.MetaKeyIIFNAME), compare(expr.CmpOpNeq, name))
	c.accept(
		[]expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}},
		[]expr.Any{&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4, Xor: make([]byte, 4),
			Mask: binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED),
		}},
		compare(expr.CmpOpNeq, make([]byte, 4)))
	// People look for a box by ping. Without neighbour and router discovery IPv6 does not work at all (RFC 4890, 4.4).
	c.accept(proto(flow.ICMP), transport(0, 1), equal(8))
	for _, kind := range []byte{128, 134, 135, 136} { // echo request, RA, NS, NA
		c.accept(proto(flow.ICMPv6), transport(0, 1), equal(kind))
	}
	// Answers to a broadcast or multicast request belong to no connection that conntrack knows (RFC 2131, RFC 8415).
	c.accept(proto(flow.UDP), transport(0, 4), equal(0, 67, 0, 68))
	c.accept(proto(flow.UDP), transport(0, 4), equal(547>>8, 547&0xff, 546>>8, 546&0xff))
	if err := c.allow(m, netip.Addr.Is4, unix.NFPROTO_IPV4, source{"allow4", nftables.TypeIPAddr, 12, 4}); err != nil {
		return err
	}
	if err := c.allow(m, netip.Addr.Is6, unix.NFPROTO_IPV6, source{"allow6", nftables.TypeIP6Addr, 8, 16}); err != nil {
		return err
	}
	c.add(&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop})
	return nil
}

// source is where a family keeps the source address, and the set of those allowed.
type source struct {
	set         string
	key         nftables.SetDatatype
	offset, len uint32
}

// allow accepts the ports from the prefixes of one family.
func (c *chain) allow(m ipc.Management, family func(netip.Addr) bool, nfproto byte, s source) error {
	elements := intervals(m.AllowFrom, family)
	if len(elements) == 0 {
		return nil
	}
	set := &nftables.Set{Table: table, Name: s.set, KeyType: s.key, Interval: true}
	if err := c.conn.AddSet(set, elements); err != nil {
		return fmt.Errorf("add set %s: %w", s.set, err)
	}
	for _, r := range m.Ports {
		c.accept(
			meta(expr.MetaKeyNFPROTO), equal(nfproto),
			[]expr.Any{
				&expr.Payload{Base: expr.PayloadBaseNetworkHeader, Offset: s.offset, Len: s.len, DestRegister: 1},
				&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID},
			},
			proto(r.Proto), transport(2, 2),
			[]expr.Any{&expr.Range{
				Op: expr.CmpOpEq, Register: 1,
				FromData: binaryutil.BigEndian.PutUint16(r.Lo), ToData: binaryutil.BigEndian.PutUint16(r.Hi),
			}})
	}
	return nil
}

// intervals gives a set's elements: where each prefix begins, and where it is over. A prefix within another is left
// out: the kernel refuses sets that overlap.
func intervals(prefixes []netip.Prefix, family func(netip.Addr) bool) (elements []nftables.SetElement) {
	sorted := slices.Clone(prefixes)
	slices.SortFunc(sorted, func(a, b netip.Prefix) int {
		return cmp.Or(a.Masked().Addr().Compare(b.Masked().Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	var last netip.Prefix
	for _, p := range sorted {
		if p = p.Masked(); !family(p.Addr()) || (last.IsValid() && last.Overlaps(p)) {
			continue
		}
		last = p
		elements = append(elements, nftables.SetElement{Key: p.Addr().AsSlice()})
		if over := end(p).Next(); over.IsValid() { // none behind the last address of all
			elements = append(elements, nftables.SetElement{Key: over.AsSlice(), IntervalEnd: true})
		}
	}
	return elements
}

// end is the last address of a prefix.
func end(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(b); bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func (c *chain) add(exprs ...expr.Any) {
	c.conn.AddRule(&nftables.Rule{Table: table, Chain: c.rules, Exprs: exprs})
}

func (c *chain) accept(matches ...[]expr.Any) {
	c.add(append(slices.Concat(matches...), &expr.Verdict{Kind: expr.VerdictAccept})...)
}

func meta(key expr.MetaKey) []expr.Any { return []expr.Any{&expr.Meta{Key: key, Register: 1}} }

func compare(op expr.CmpOp, data []byte) []expr.Any {
	return []expr.Any{&expr.Cmp{Op: op, Register: 1, Data: data}}
}

func equal(data ...byte) []expr.Any { return compare(expr.CmpOpEq, data) }

func proto(p flow.Proto) []expr.Any { return slices.Concat(meta(expr.MetaKeyL4PROTO), equal(byte(p))) }

// transport loads bytes of the layer-4 header.
func transport(offset, length uint32) []expr.Any {
	return []expr.Any{&expr.Payload{Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: length, DestRegister: 1}}
}
