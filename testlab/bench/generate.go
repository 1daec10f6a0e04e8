package main

//go:generate go tool -modfile=../../tools.mod bpf2go -go-package main -target bpfel -cc clang-19 -strip llvm-strip-19 -cflags "-O2 -g -Wall -Werror -mcpu=v3 -I/usr/include/x86_64-linux-gnu" Frames frames.bpf.c
