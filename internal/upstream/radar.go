package upstream

// Radar watches what upstream answers, for who wants to know when it leaves what is documented.
type Radar interface {
	// Answered is told of every successful answer of b, an operation whose document is JSON, before the call returns:
	// what its Content-Type and Content-Encoding say, and the body as it came. It must not block, and neither change nor
	// keep the body.
	Answered(b *Binding, contentType, encoding string, body []byte)
}

// observe shows a successful answer to the radar. Streams are not shown.
func (c *Client) observe(b *Binding, a *answer) {
	if c.opts.Radar != nil && b.codec != nil {
		c.opts.Radar.Answered(b, a.header.Get("Content-Type"), a.header.Get("Content-Encoding"), a.body)
	}
}
