package sandbox

import "cmp"

// subscriberOptions are the settings of a subscriber that differ from those of
// its company; the zero value follows the company in everything.
type subscriberOptions struct {
	Overflow             string `json:"overflow,omitempty"`
	UnavailableOverflow  string `json:"unavailableOverflow,omitempty"`
	NoReplyDelay         int    `json:"noReplyDelay,omitempty"` // seconds
	Permissions          string `json:"permissions,omitempty"`
	Restrictions         string `json:"restrictions,omitempty"`
	PstnPolicy           string `json:"pstnPolicy,omitempty"`
	PstnNumber           string `json:"pstnNumber,omitempty"`
	SipHeader1           string `json:"sipHeader1,omitempty"`
	SipHeader2           string `json:"sipHeader2,omitempty"`
	ExternalCallForward  string `json:"externalCallForward,omitempty"`
	RecordingProfile     string `json:"recordingProfile,omitempty"`
	HasUnavailableChange bool   `json:"hasUnavailableChange,omitempty"`
}

// options answers the settings with the documented defaults filled in.
func (b *subscriber) options() subscriberOptions {
	o := subscriberOptions{}
	if b.Options != nil {
		o = *b.Options
	}
	o.Overflow = cmp.Or(o.Overflow, "default")
	o.UnavailableOverflow = cmp.Or(o.UnavailableOverflow, "default")
	o.Permissions = cmp.Or(o.Permissions, "int_nat_local")
	o.Restrictions = cmp.Or(o.Restrictions, "default")
	o.PstnPolicy = cmp.Or(o.PstnPolicy, "company_policy")
	o.ExternalCallForward = cmp.Or(o.ExternalCallForward, "company_policy")
	o.RecordingProfile = cmp.Or(o.RecordingProfile, "none")
	return o
}

func (w *world) setOptions(b *subscriber, o subscriberOptions) {
	next := *b
	next.Options = &o
	w.subscribers.put(&next)
}

func (w *world) companyOverflow(y *system) map[string]any {
	m, _ := y.Cloud["overflowSubscribersToVoicemail"].(map[string]any)
	return m
}

func (w *world) noReplyDelay(y *system, o subscriberOptions) int {
	return cmp.Or(o.NoReplyDelay, asInt(w.companyOverflow(y)["noReplyDelay"]))
}

// subscriberCli is the calling line identity of a subscriber: at this level
// the two permissions are strings that follow the company.
func (w *world) subscriberCli(y *system, b *subscriber) map[string]any {
	number := y.Cloud["installationNumber"]
	if own := w.ddisOfUser[b.UserID]; len(own) > 0 {
		number = w.ddis.get(own[0]).NumberE164
	}
	return map[string]any{
		"policy": "company_policy", "numberE164": number, "userCanManageItsCli": "company_policy",
		"companyNumberCanBeSelectedByUserAsCli": "company_policy",
	}
}

func getSubscriberCli(w *world, c *call) (any, error) {
	y, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	cli := w.subscriberCli(y, b)
	company, _ := y.Cloud["cliOptions"].(map[string]any)
	cli["companyPolicy"] = company["policy"]
	return data(cli), nil
}

func pstnDocument(o subscriberOptions) any {
	return data(map[string]any{"policy": o.PstnPolicy, "numberE164": orNull(o.PstnNumber)})
}

func getPstnOptions(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	return pstnDocument(b.options()), nil
}

// updatePstnOptions keeps numberE164 only with policy custom_ddi_number, the
// one that needs it.
func updatePstnOptions(w *world, c *call) (any, error) {
	y, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o, options := c.object(), b.options()
	o.require("policy")
	o.enum("policy", &options.PstnPolicy, "company_policy", "none", "subscriber_ddi", "custom_ddi_number")
	number := ""
	o.text("numberE164", &number)
	options.PstnNumber = ""
	if options.PstnPolicy == "custom_ddi_number" {
		e164, ok := toE164(number, y.Country)
		if !ok {
			o.bad("numberE164", "numberE164 must be a phone number with policy custom_ddi_number", number)
		}
		options.PstnNumber = e164
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.setOptions(b, options)
	return pstnDocument(options), nil
}

// sipHeaders leaves out a header without a value.
type sipHeaders struct {
	One string `json:"customSipHeader_1,omitempty"`
	Two string `json:"customSipHeader_2,omitempty"`
}

func getSipHeaders(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o := b.options()
	return data(sipHeaders{o.SipHeader1, o.SipHeader2}), nil
}

func updateSipHeaders(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o, options := c.object(), b.options()
	o.text("customSipHeader_1", &options.SipHeader1)
	o.text("customSipHeader_2", &options.SipHeader2)
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.setOptions(b, options)
	return data(sipHeaders{options.SipHeader1, options.SipHeader2}), nil
}

func updateSubscriberBarring(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o, options := c.object(), b.options()
	o.text("permissions", &options.Permissions)
	o.text("restrictions", &options.Restrictions)
	if !validBarring(options.Permissions, barringPermissions()) {
		o.bad("permissions", "permissions is not an id of the barring options", options.Permissions)
	}
	if !validBarring(options.Restrictions, barringRestrictions()) {
		o.bad("restrictions", "restrictions is not an id of the barring options", options.Restrictions)
	}
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.setOptions(b, options)
	return data(map[string]string{"permissions": options.Permissions, "restrictions": options.Restrictions}), nil
}

func updateExternalCallForward(w *world, c *call) (any, error) {
	_, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o, options := c.object(), b.options()
	o.require("externalCallForward")
	o.enum("externalCallForward", &options.ExternalCallForward, "company_policy", "authorized", "not_authorized")
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.setOptions(b, options)
	return data(map[string]string{"externalCallForward": options.ExternalCallForward}), nil
}

// overflowView is the overflow of a subscriber; unavailableOverflow and
// noReplyDelay may be absent.
type overflowView struct {
	Value               string `json:"value"`
	Activate            bool   `json:"activate"`
	UnavailableOverflow string `json:"unavailableOverflow,omitempty"`
	NoReplyDelay        int    `json:"noReplyDelay,omitempty"`
}

// overflow computes what is in force: default follows the company, custom was
// set by an administrator and thus is active, disabled is off.
func (w *world) overflow(y *system, o subscriberOptions) overflowView {
	v := overflowView{Value: o.Overflow, NoReplyDelay: o.NoReplyDelay}
	if o.HasUnavailableChange {
		v.UnavailableOverflow = o.UnavailableOverflow
	}
	v.Activate = o.Overflow == "custom"
	if o.Overflow == "default" {
		v.Activate, _ = w.companyOverflow(y)["activate"].(bool)
	}
	return v
}

func updateSubscriberOverflow(w *world, c *call) (any, error) {
	y, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	o, options := c.object(), b.options()
	o.require("value", "unavailableOverflow")
	o.enum("value", &options.Overflow, "default", "custom", "disabled")
	o.enum("unavailableOverflow", &options.UnavailableOverflow, "default", "custom", "disabled")
	o.between("noReplyDelay", &options.NoReplyDelay, 10, 60)
	if err := o.fault(); err != nil {
		return nil, err
	}
	options.HasUnavailableChange = true
	w.setOptions(b, options)
	return data(w.overflow(y, options)), nil
}

func getSubscriberOverflow(w *world, c *call) (any, error) {
	y, b, err := c.subscriber(w)
	if err != nil {
		return nil, err
	}
	return data(w.overflow(y, b.options())), nil
}
