// Package bpf holds the bridge's BPF program, compiled, with the Go types of its maps.
//
// bridge.bpf.c is the list of steps; each step is a header. The generated files are committed, so building needs no
// clang; `make generate` makes them anew and CI compares.
package bpf

//go:generate go tool -modfile=../tools.mod bpf2go -go-package bpf -target bpfel -cc clang-19 -strip llvm-strip-19 -cflags "-O2 -g -Wall -Werror -mcpu=v3 -I/usr/include/x86_64-linux-gnu" -type control -type inspector -type mac_key -type flow_key -type flow -type state -type block_key -type block -type pinhole_key -type pinhole -type fragment_key -type fragment -type reason_count -type device_count -type devmap_count -type sample_meter -type port_before Bridge bridge.bpf.c
