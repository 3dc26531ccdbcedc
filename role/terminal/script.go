package terminal

import (
	"context"
	"errors"
	"fmt"

	"jiaozi/value/reason"
	"jiaozi/wire/apdu"
	"jiaozi/wire/emv"
	"jiaozi/wire/iso8583"
	"jiaozi/wire/tlv"
)

// maxScriptCommands bounds what one answer makes the card do.
const maxScriptCommands = 8

// scriptResult is the first byte of DF31, as in 9F5B: what became of the script,
// and the number of the command that failed.
type scriptResult struct {
	outcome byte // high nibble
	command byte // low nibble, 0 if all went well
	id      [4]byte
}

const (
	scriptUnknown byte = 0x00
	scriptFailed  byte = 0x10
	scriptDone    byte = 0x20
)

func (r scriptResult) bytes() []byte { return append([]byte{r.outcome | r.command}, r.id[:]...) }

// issued is what the issuer sends for the card.
type issued struct {
	auth          []byte // 91
	before, after []script
}

// script is one template 71 or 72.
type script struct {
	id       [4]byte
	commands []apdu.Command
}

func parseIssued(b []byte) (issued, error) {
	objects, err := tlv.Decode(b, emv.TagScriptBefore, emv.TagScriptAfter)
	if err != nil {
		return issued{}, fmt.Errorf("the issuer's data: %w", err)
	}
	var out issued
	out.auth, _ = objects.Find(emv.TagIssuerAuth)
	if len(out.auth) < 8 || len(out.auth) > 16 {
		return issued{}, errors.New("the issuer does not authenticate its answer")
	}
	if out.before, err = parseScripts(objects.All(emv.TagScriptBefore)); err != nil {
		return issued{}, err
	}
	if out.after, err = parseScripts(objects.All(emv.TagScriptAfter)); err != nil {
		return issued{}, err
	}
	if len(out.before)+len(out.after) == 0 {
		return issued{}, errors.New("the issuer approves and sends nothing for the card")
	}
	return out, nil
}

func parseScripts(templates [][]byte) ([]script, error) {
	var out []script
	for _, content := range templates {
		objects, err := tlv.Decode(content, emv.TagScriptCommand)
		if err != nil {
			return nil, fmt.Errorf("script: %w", err)
		}
		var one script
		if id, ok := objects.Find(emv.TagScriptID); ok && len(id) == len(one.id) {
			one.id = [4]byte(id)
		}
		for _, raw := range objects.All(emv.TagScriptCommand) {
			c, err := apdu.ParseCommand(raw)
			if err != nil {
				return nil, fmt.Errorf("script: %w", err)
			}
			one.commands = append(one.commands, c)
		}
		if len(one.commands) == 0 || len(one.commands) > maxScriptCommands || len(out) == maxScriptCommands {
			return nil, errors.New("script: too few or too many commands")
		}
		out = append(out, one)
	}
	return out, nil
}

// carryOut brings the issuer's yes into the card: authenticate the issuer, script
// 71, second cryptogram, script 72. Up to the first script everything can be
// undone; from there on only the card's next proof of its balance decides, and
// the journal says so before the script leaves.
func (v *service) carryOut(ctx context.Context, r *reply) Outcome {
	in, err := parseIssued(r.Bytes(55))
	if err != nil {
		return v.undo(ctx, iso8583.CodeError, because(reason.FormatError, err))
	}
	v.arc = []byte(r.code.Code)
	if st := v.authenticateIssuer(in.auth); st != nil {
		return v.undo(ctx, iso8583.CodeError, st)
	}
	if st := v.run(in.before); st != nil {
		return v.scriptEnds(ctx, st)
	}
	if st := v.secondCryptogram(); st != nil {
		return v.scriptEnds(ctx, st)
	}
	if v.result.outcome != scriptFailed {
		if st := v.run(in.after); st != nil {
			return v.scriptEnds(ctx, st)
		}
	}
	return v.report(ctx)
}

// authenticateIssuer hands 91 to the card, once (attack 26). A card that wants it
// in CDOL2 gets it there.
func (v *service) authenticateIssuer(auth []byte) *stop {
	v.data[emv.TagIssuerAuth] = auth
	if !v.aip.Has(emv.AIPIssuerAuth) {
		return nil
	}
	r, st := v.send(apdu.ExternalAuth(auth))
	if st != nil {
		return st
	}
	if !r.SW.OK() {
		v.tvr.Set(emv.TVRIssuerAuthFailed)
		return because(reason.DeclinedByCard, fmt.Errorf("the card does not accept the issuer's answer: %v", r.SW))
	}
	return nil
}

func (v *service) secondCryptogram() *stop {
	data, st := v.cdol(emv.TagCDOL2)
	if st != nil {
		return st
	}
	c, st := v.generateAC(apdu.RequestTC, data)
	if st != nil {
		return st
	}
	v.last = c
	if c.decision() != emv.TC {
		return because(reason.DeclinedByCard, nil)
	}
	return nil
}

// run sends scripts, command by command; the first that fails ends it. Before
// the first command leaves, the reversal is replaced durably by the notice that
// the script is out and its result not known.
func (v *service) run(scripts []script) *stop {
	for _, one := range scripts {
		v.result = scriptResult{outcome: scriptUnknown, id: one.id}
		if st := v.commit(stageScript); st != nil {
			return st
		}
		for i, c := range one.commands {
			r, st := v.send(c)
			if st != nil {
				return st
			}
			// EMV Book 3, 10.10: 90, 62 and 63 let the script go on.
			if hi := byte(r.SW >> 8); !r.SW.OK() && hi != 0x62 && hi != 0x63 {
				v.result.outcome, v.result.command = scriptFailed, byte(i+1)
				v.tvr.Set(emv.TVRScriptFailedAfter)
				return nil
			}
		}
		v.result.outcome = scriptDone
	}
	return nil
}

// commit moves the outbox item on, with a notice of what is known now.
func (v *service) commit(at stage) *stop {
	notice, err := v.notice()
	if err == nil {
		err = v.save(at, notice)
	}
	if err != nil {
		return because(reason.LoadLost, err)
	}
	return nil
}

// scriptEnds: something went wrong on the way. Without a script out it is undone;
// with one it is in flight, unless the card has refused it for certain.
func (v *service) scriptEnds(ctx context.Context, st *stop) Outcome {
	// What an append that failed has left behind decides, so read it first.
	if err := v.t.sound(); err != nil {
		return v.conclude(ctx, Unknown, because(reason.LoadLost, errors.Join(st.err, err)))
	}
	for _, x := range v.t.state.outbox {
		if x.Trace == v.trace && x.Stage == stageReverse {
			return v.undo(ctx, iso8583.CodeError, st)
		}
	}
	return v.conclude(ctx, Unknown, because(reason.LoadLost, st.err))
}

var errRefusedScript = errors.New("the card refused the issuer's script")

// report makes the script's result durable and tells the host; then the customer.
func (v *service) report(ctx context.Context) Outcome {
	if st := v.commit(stageReported); st != nil {
		return v.conclude(ctx, Unknown, st)
	}
	if v.order.Kind == closure {
		return v.closed(ctx)
	}
	if v.result.outcome != scriptDone {
		// The card's no has no MAC, so the issuer gives nothing back before the card
		// has proved its balance.
		return v.conclude(ctx, Unknown, because(reason.LoadLost, errRefusedScript))
	}
	if balance, ok, st := v.getAmount(emv.TagECBalance); ok && st == nil {
		v.balance = balance
	}
	return v.conclude(ctx, Approved, because(reason.Approved, nil))
}

// closed ends a closure by what the card proved, as the issuer does: a purse that is
// empty is paid out, even if the card did not block itself.
func (v *service) closed(ctx context.Context) Outcome {
	v.balance = v.last.balance(v.amount.Currency())
	if v.balance != v.amount { // a closure is about zero
		return v.conclude(ctx, Declined, because(reason.DeclinedByCard, errRefusedScript))
	}
	return v.conclude(ctx, Approved, because(reason.Approved, nil))
}
