package node

import (
	"context"
	"net/http"
	"time"

	"jiaozi/link/framed"
	"jiaozi/wire/coin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics count what passes the links. No label and no value is about a card, a
// person or an amount.
type metrics struct {
	registry *prometheus.Registry
	messages *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	coins    *prometheus.CounterVec
}

func newMetrics(entries func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jiaozi_messages_total", Help: "Messages by link and by what became of them: answered, silent (outcome unknown), failed.",
		}, []string{"link", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "jiaozi_message_seconds", Help: "Time from a message to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"link"}),
	}
	m.coins = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "jiaozi_mint_requests_total", Help: "Requests to the mint by kind and by what became of them: answered, failed, or the code of the refusal.",
	}, []string{"kind", "result"})
	m.registry.MustRegister(m.messages, m.seconds, m.coins, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jiaozi_book_batches", Help: "Batches in the journal of the book.",
	}, entries))
	return m
}

// watch counts and times the messages of one link.
func (m *metrics) watch(link string, h framed.Handler) framed.Handler {
	return func(ctx context.Context, b []byte) ([]byte, error) {
		start := time.Now()
		answer, err := h(ctx, b)
		m.seconds.WithLabelValues(link).Observe(time.Since(start).Seconds())
		m.messages.WithLabelValues(link, fate(answer, err)).Inc()
		return answer, err
	}
}

// mint counts a request. Kinds and codes are few, whatever is sent.
func (m *metrics) mint(request, answer coin.Message, err error) {
	kind, result := request.Type(), "answered"
	if s, ok := request.(*coin.Signed); ok {
		kind = s.Body.Type()
	}
	if refusal, ok := answer.(*coin.Failure); ok {
		result = refusal.Code.String()
	}
	if err != nil {
		result = "failed"
	}
	m.coins.WithLabelValues(kind.String(), result).Inc()
}

func fate(answer []byte, err error) string {
	switch {
	case err != nil:
		return "failed"
	case answer == nil:
		return "silent"
	}
	return "answered"
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
