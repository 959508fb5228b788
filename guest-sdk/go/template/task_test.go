package main

import (
	"errors"
	"testing"

	hotcell "github.com/hotcell/hotcell/guest-sdk/go"
)

func TestACouponTakesOffATenth(t *testing.T) {
	receipt, err := price(Order{ID: "O-1", Coupon: "TENTH", Lines: []Line{{SKU: "A-1", Quantity: 2, Cents: 1999}}})
	if err != nil || receipt.Total != 3599 {
		t.Fatal(receipt, err)
	}
}

func TestAnOrderWithoutLinesIsRefused(t *testing.T) {
	_, err := price(Order{ID: "O-1"})
	var problem *hotcell.Problem
	if !errors.As(err, &problem) || problem.Status != 422 {
		t.Fatal(err)
	}
}
