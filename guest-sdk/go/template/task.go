// Prices an order.
package main

import (
	"log"

	hotcell "github.com/hotcell/hotcell/guest-sdk/go"
)

type Order struct {
	ID     string `json:"id"`
	Coupon string `json:"coupon"`
	Lines  []Line `json:"lines"`
}

type Line struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	Cents    int    `json:"cents"`
}

type Receipt struct {
	Order    string   `json:"order"`
	Lines    []Priced `json:"lines"`
	Subtotal int      `json:"subtotal"`
	Discount int      `json:"discount"`
	Total    int      `json:"total"`
}

type Priced struct {
	SKU   string `json:"sku"`
	Cents int    `json:"cents"`
}

func main() { hotcell.Run(price) }

func price(order Order) (Receipt, error) {
	receipt := Receipt{Order: order.ID}
	if len(order.Lines) == 0 {
		return receipt, hotcell.Refuse(422, "Order refused", "order "+order.ID+" has no lines").With("order", order.ID)
	}
	log.Printf("%s: %d lines", order.ID, len(order.Lines))
	for _, line := range order.Lines {
		priced := Priced{SKU: line.SKU, Cents: line.Quantity * line.Cents}
		receipt.Lines = append(receipt.Lines, priced)
		receipt.Subtotal += priced.Cents
	}
	if order.Coupon == "TENTH" {
		receipt.Discount = receipt.Subtotal / 10
	}
	receipt.Total = receipt.Subtotal - receipt.Discount
	return receipt, nil
}
