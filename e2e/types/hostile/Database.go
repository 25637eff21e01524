// Made by `mainstay types` from the schema; made anew when the schema changes.

// Package database has the rows of every table.
package database

import (
	"encoding/json"
	"time"
)

// MyOrders: * / ? > <% " ''' ⧵ ${x} #{y}
type MyOrders struct {
	Class      int32           `json:"class"`
	FirstWord  *string         `json:"first word"`
	FirstWord2 *string         `json:"first_word"`
	GrE        json.Number     `json:"größe"`
	Self       json.RawMessage `json:"self"`
	Def        []int32         `json:"def"`
	Record     time.Time       `json:"record"`
	ISBN       *string         `json:"ISBN$"`
}

// MyOrdersInsert: A new row of `my orders`; nil for what is left out.
type MyOrdersInsert struct {
	Class      int32           `json:"class"`
	FirstWord  *string         `json:"first word,omitempty"`
	FirstWord2 *string         `json:"first_word,omitempty"`
	GrE        json.Number     `json:"größe"`
	Self       json.RawMessage `json:"self"`
	Def        []int32         `json:"def"`
	Record     *time.Time      `json:"record,omitempty"`
	ISBN       *string         `json:"ISBN$,omitempty"`
}

// MyOrders2: A row of `my_orders`.
type MyOrders2 struct {
	Id int32 `json:"id"`
}

// MyOrders2Insert: A new row of `my_orders`; nil for what is left out.
type MyOrders2Insert struct {
	Id int32 `json:"id"`
}

// ClassRow: A row of `class`.
type ClassRow struct {
	Id   string `json:"id"`
	Type *int32 `json:"type"`
}

// ClassRowInsert: A new row of `class`; nil for what is left out.
type ClassRowInsert struct {
	Id   string `json:"id"`
	Type *int32 `json:"type,omitempty"`
}
