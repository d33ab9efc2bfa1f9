package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// order is what one customer does in the web shop.
type order struct {
	trace, country string
	number, weight int
}

// customers order at the web shop, which runs the prices of its commit: who lives
// where there is none meets the error. It logs and reports as a program does.
func (s *story) customers(ctx context.Context) error {
	m := s.kept()
	delivery, err := s.file(ctx, m.Running, deliveryFile)
	if err != nil {
		return err
	}
	prices := map[string]int{}
	for _, found := range priceLine.FindAllStringSubmatch(delivery, -1) {
		prices[found[1]], _ = strconv.Atoi(found[2]) // digits
	}
	asked := m.Country
	if asked == "" {
		asked = storyCountries[0]
	}
	var lines []shopLine
	at := now().Add(-4 * time.Second)
	for i, country := range []string{"DE", asked, "DE", asked, asked, "DE", asked} {
		o := order{trace: fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()), country: country, number: 4711 + i + 10*m.Round, weight: 1 + i%3}
		at = at.Add(400 * time.Millisecond)
		price, known := prices[country]
		lines = append(lines, o.lines(at, price, known)...)
		if known {
			continue
		}
		event, err := s.report(ctx, m, o, at, delivery)
		if err != nil {
			return err
		}
		if err := s.remember(func(m *storyMemory) { m.Event, m.Trace = event, o.trace }); err != nil {
			return err
		}
	}
	return s.pushLines(ctx, lines)
}

func (o order) lines(at time.Time, price int, known bool) []shopLine {
	line := func(after time.Duration, level, message string, more ...any) shopLine {
		l := shopLine{at: at.Add(after), level: level, message: message, fields: map[string]any{"trace_id": o.trace, "order": o.number}}
		for i := 0; i+1 < len(more); i += 2 {
			l.fields[fmt.Sprint(more[i])] = more[i+1]
		}
		return l
	}
	list := []shopLine{
		line(0, "info", fmt.Sprintf("order %d: begun", o.number), "country", o.country),
		line(8*time.Millisecond, "info", fmt.Sprintf("order %d: asking for the price of %d kg to %s", o.number, o.weight, o.country)),
	}
	if !known {
		return append(list, line(9*time.Millisecond, "error", fmt.Sprintf("order %d failed: KeyError: '%s'", o.number, o.country), "file", deliveryFile),
			line(11*time.Millisecond, "warn", fmt.Sprintf("POST /orders 500 in 11 ms: order %d is lost", o.number), "status", 500))
	}
	return append(list, line(12*time.Millisecond, "info", fmt.Sprintf("POST /orders 201 in 12 ms: order %d, delivery for %d cents", o.number, price*o.weight), "status", 201))
}

// report sends the error as Sentry's client for Python does.
func (s *story) report(ctx context.Context, m storyMemory, o order, at time.Time, delivery string) (string, error) {
	orders, err := s.file(ctx, m.Running, ordersFile)
	if err != nil {
		return "", err
	}
	id := randomID()
	body := map[string]any{
		"event_id": id, "timestamp": at, "platform": "python", "level": "error", "release": m.Running, "environment": "production", "server_name": "web-1", "transaction": "POST /orders",
		"sdk":      map[string]any{"name": "sentry.python", "version": "2.64.0"},
		"contexts": map[string]any{"trace": map[string]any{"trace_id": o.trace, "span_id": o.trace[:16], "op": "http.server"}, "runtime": map[string]any{"name": "CPython", "version": "3.11.2"}},
		"tags":     map[string]any{"country": o.country}, "user": map[string]any{"id": strconv.Itoa(100 + o.number%7)},
		"request": map[string]any{"method": "POST", "url": "https://checkout.example.com/orders", "data": map[string]any{"country": o.country, "weight": o.weight}},
		"breadcrumbs": map[string]any{"values": []any{
			map[string]any{"timestamp": at.Add(-3 * time.Second), "type": "navigation", "category": "navigation", "message": "/cart → /checkout"},
			map[string]any{"timestamp": at.Add(-8 * time.Millisecond), "category": "checkout.delivery", "level": "info", "message": "asking for the price to " + o.country},
		}},
		"exception": map[string]any{"values": []any{map[string]any{"type": "KeyError", "value": "'" + o.country + "'", "mechanism": map[string]any{"type": "wsgi", "handled": false},
			"stacktrace": map[string]any{"frames": []any{
				frameOf(ordersFile, orders, "place", "price_of(address", map[string]any{"address": "<Address " + o.country + ">", "goods": "4590"}),
				frameOf(deliveryFile, delivery, "price_of", "return PRICES[", map[string]any{"country": "'" + o.country + "'", "weight": strconv.Itoa(o.weight)}),
			}}}}},
	}
	var envelope bytes.Buffer
	for _, line := range []any{map[string]any{"event_id": id, "sent_at": now()}, map[string]any{"type": "event"}, body} {
		raw, err := json.Marshal(line)
		if err != nil {
			return "", err
		}
		envelope.Write(append(raw, '\n'))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", s.app.URL(), m.Project.ID, m.Project.Key), &envelope)
	if err != nil {
		return "", err
	}
	return id, send(req, nil)
}

// frameOf is the line of a file that has some text, with what stands around it.
func frameOf(name, text, function, has string, vars map[string]any) map[string]any {
	const around = 5
	lines := strings.Split(text, "\n")
	at := 0
	for i, line := range lines {
		if strings.Contains(line, has) {
			at = i
		}
	}
	return map[string]any{"function": function, "filename": name, "abs_path": "/srv/" + name, "module": strings.ReplaceAll(strings.TrimSuffix(name, ".py"), "/", "."), "in_app": true,
		"lineno": at + 1, "context_line": lines[at], "pre_context": lines[max(0, at-around):at], "post_context": lines[at+1 : min(len(lines), at+1+around)], "vars": vars}
}
