package sandbox

var epollWait []rule
