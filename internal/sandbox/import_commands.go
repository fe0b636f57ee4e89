package sandbox

// command is what is kept under a commandId: the last check, the last import,
// or an outcome that needed no import.
type command struct {
	ID      string        `json:"id"` // kind/commandId
	ReqID   string        `json:"reqId,omitempty"`
	Check   *checkSummary `json:"check,omitempty"`
	Status  string        `json:"status,omitempty"`
	Details string        `json:"details,omitempty"`
	Report  any           `json:"report,omitempty"` // of a directory
}

const (
	commandCheck  = "check"
	commandImport = "import"
)

// noteCommand keeps c under the call's commandId, if it has one; checks of the
// operations without a commandId run as readers and never get here with one.
func (w *world) noteCommand(c *call, kind string, kept command) {
	commandID := c.query.text("commandId")
	if commandID == "" || !c.writes {
		return
	}
	kept.ID = kind + "/" + commandID
	w.commands.put(&kept)
}

// commandAnswer is the envelope of the command reports: no data key.
type commandAnswer struct {
	Status string `json:"status"`
	Report any    `json:"report"`
}

func commandReport(kind string) func(*world, *call) (any, error) {
	return func(w *world, c *call) (any, error) {
		kept := w.commands.get(kind + "/" + c.path["commandId"])
		if kept == nil {
			return nil, notFound("No report exists for commandId %s.", c.path["commandId"])
		}
		switch {
		case kept.Check != nil:
			return commandAnswer{"success", kept.Check}, nil
		case kept.ReqID == "":
			return commandAnswer{kept.Status, map[string]string{"details": kept.Details}}, nil
		}
		job := w.imports.get(kept.ReqID)
		if job == nil {
			return nil, notFound("The report of commandId %s was deleted.", c.path["commandId"])
		}
		report := w.report(job, false)
		switch {
		case job.Status == statusPending:
			return commandAnswer{"pending", report}, nil
		case report.Counters.Failed > 0:
			return commandAnswer{"failure", report}, nil
		}
		return commandAnswer{"success", report}, nil
	}
}

// createCommandReport answers CreateUsersSynchronizeReport: the outcome of a
// command that needed no import, or failed before any.
func createCommandReport(w *world, c *call) (any, error) {
	o := c.object()
	o.require("status", "details")
	kept := command{ID: commandImport + "/" + c.path["commandId"]}
	o.enum("status", &kept.Status, "success", "failure")
	o.text("details", &kept.Details)
	if err := o.fault(); err != nil {
		return nil, err
	}
	w.commands.put(&kept)
	return commandAnswer{kept.Status, map[string]string{"details": kept.Details}}, nil
}
