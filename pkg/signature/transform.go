package signature

import (
	"errors"
	"slices"

	"citygate/pkg/app/layer"
)

// maxTransformed is how long a transformed value may get. Transformations make a value longer by a few bytes, except for
// decompression; what is beyond is cut off and counted.
const maxTransformed = 1 << 20

// Transform applies a list's transformations to a value. The result is the value itself if there are none, else memory of the
// context that the next call uses again.
func (c *Context) Transform(list *List, value []byte) []byte {
	return c.Transformed(list.Transforms, value)
}

// Transformed is Transform for the transformations of a list.
func (c *Context) Transformed(transforms []Match, value []byte) []byte {
	for i := range transforms {
		m := &transforms[i]
		k := c.keyword(m)
		if k.Apply == nil {
			continue
		}
		out := c.transformed[i&1][:0]
		out = k.Apply(c, m, value, out)
		if len(out) > maxTransformed {
			out = out[:maxTransformed]
			c.Counters.Transforms++
		}
		c.transformed[i&1] = out
		value = out
	}
	return value
}

var errTransform = errors.New("it is about a sticky buffer, and none is in force")

// transform adds a transformation to the sticky buffer in force. What was matched on the buffer before stays matched on the value
// as it was before.
func (b *Builder) transform(m Match) error {
	if b.Buffer == layer.Payload {
		return errTransform
	}
	if !b.fresh {
		b.transforms = slices.Clone(b.Lists[b.list()].Transforms)
		b.fresh = true
	}
	b.Add(m)
	return nil
}
