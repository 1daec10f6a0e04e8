package flow

// Direction says who sent a packet of a conversation: the side that opened it, or the other.
type Direction uint8

// The two directions; they index arrays of two.
const (
	ToServer Direction = 0
	ToClient Direction = 1
)

// Reverse is the other direction.
func (d Direction) Reverse() Direction { return d ^ 1 }

func (d Direction) String() string {
	if d == ToServer {
		return "to_server"
	}
	return "to_client"
}
