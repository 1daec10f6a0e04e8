package main

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// addSet makes the Linux bridge forward IPv4 of the cameras only, by one set:
//
//	ether type ip ether saddr . ip saddr @cameras accept
func addSet(cameras int) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	table := c.AddTable(&nftables.Table{Name: "bench", Family: nftables.TableFamilyBridge})
	drop := nftables.ChainPolicyDrop
	chain := c.AddChain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward,
		Priority: nftables.ChainPriorityFilter, Policy: &drop,
	})
	key, err := nftables.ConcatSetType(nftables.TypeEtherAddr, nftables.TypeIPAddr)
	if err != nil {
		return fmt.Errorf("make the type of the set: %w", err)
	}
	set := &nftables.Set{Table: table, Name: "cameras", KeyType: key, Concatenation: true}
	elements := make([]nftables.SetElement, cameras)
	for i := range elements {
		mac := cameraMAC(i)
		elements[i].Key = append(append(mac[:], 0, 0), cameraIP(i).AsSlice()...) // each part in whole 4-byte registers
	}
	if err := c.AddSet(set, elements); err != nil {
		return fmt.Errorf("fill the set: %w", err)
	}
	const first, third = unix.NFT_REG32_00, unix.NFT_REG32_02
	c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyPROTOCOL, Register: first},
		&expr.Cmp{Op: expr.CmpOpEq, Register: first, Data: binaryutil.BigEndian.PutUint16(unix.ETH_P_IP)},
		&expr.Payload{DestRegister: first, Base: expr.PayloadBaseLLHeader, Offset: 6, Len: 6},
		&expr.Payload{DestRegister: third, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Lookup{SourceRegister: first, SetName: set.Name, SetID: set.ID},
		&expr.Verdict{Kind: expr.VerdictAccept},
	}})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("load the nftables set: %w", err)
	}
	return nil
}

func removeSet() error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	c.DelTable(&nftables.Table{Name: "bench", Family: nftables.TableFamilyBridge})
	if err := c.Flush(); err != nil {
		return fmt.Errorf("remove the nftables set: %w", err)
	}
	return nil
}
