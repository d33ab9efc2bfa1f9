package github

import (
	"context"
	"encoding/json"

	"github.com/signalbox/signalbox/server/platform/api"
)

func (s *Service) deliveryRoutes(r api.Router, read, write api.Access) {
	r.GET("/ci/deliveries", read, api.Handle(s.listDeliveries))
	r.GET("/ci/deliveries/:id", read, api.Handle(s.getDelivery))
	r.POST("/ci/deliveries/:id/redeliver", write, api.Handle(s.redeliver))
	r.POST("/ci/deliveries/:id/ask-github", write, api.Handle(s.askGitHub))
}

type listDeliveriesIn struct {
	Team       string `form:"team"`
	Hook       string `form:"hook"`
	Event      string `form:"event"`
	Repository string `form:"repository"`
	State      string `form:"state"`
	Verdict    string `form:"verdict"`
	Sender     string `form:"sender"`
	Q          string `form:"q"`
	Gap        bool   `form:"gap"`
	Before     string `form:"before"`
	Limit      int    `form:"limit"`
}

type deliveriesOut struct {
	Items []Delivery `json:"items"`
	// Next is what to give as before for the page that follows; "" on the last one.
	Next string `json:"next"`
}

func (s *Service) listDeliveries(ctx context.Context, in listDeliveriesIn) (deliveriesOut, error) {
	teams, err := readableTeams(ctx, in.Team)
	if err != nil {
		return deliveriesOut{}, err
	}
	f := DeliveryFilter{Hook: in.Hook, Event: in.Event, Repository: in.Repository, State: State(in.State), Verdict: Verdict(in.Verdict),
		Sender: in.Sender, Text: in.Q, Gap: in.Gap, Before: in.Before, Limit: in.Limit}
	if f.Limit < 1 || f.Limit > 200 {
		f.Limit = 50
	}
	list, err := s.Deliveries(ctx, f, teams...)
	out := deliveriesOut{Items: list}
	if len(list) == f.Limit {
		out.Next = list[len(list)-1].ID
	}
	return out, err
}

type deliveryOut struct {
	Delivery
	// Body is null for a refused delivery.
	Body json.RawMessage `json:"body"`
}

func (s *Service) getDelivery(ctx context.Context, in idIn) (deliveryOut, error) {
	d, err := s.Delivery(ctx, in.ID)
	out := deliveryOut{Delivery: d, Body: d.Body}
	if len(d.Body) == 0 {
		out.Body = json.RawMessage("null")
	}
	return out, err
}

func (s *Service) redeliver(ctx context.Context, in idIn) (Delivery, error) {
	return s.Redeliver(ctx, in.ID)
}

func (s *Service) askGitHub(ctx context.Context, in idIn) (Delivery, error) {
	return s.AskGitHub(ctx, in.ID)
}
