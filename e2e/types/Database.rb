# frozen_string_literal: true

# Made by `mainstay types` from the schema; made anew when the schema changes.
module Database
  # A tree of product groups.
  Categories = Struct.new(
    :'id', # int
    :'name', # text
    :'parent_id', # int or nil
    keyword_init: true
  )

  # One thing that can be bought.
  Products = Struct.new(
    :'id', # int
    :'slug', # text
    :'name', # text
    :'price', # decimal(10,2)
    :'weight_kg', # float or nil
    :'tags', # text[]
    :'attributes', # json
    :'available', # bool
    :'added_on', # date
    :'updated_at', # timestamp
    keyword_init: true
  )

  # Which product is in which category; lets each embed the other.
  ProductCategories = Struct.new(
    :'product_id', # int
    :'category_id', # int
    keyword_init: true
  )

  # A row of `customers`.
  Customers = Struct.new(
    :'id', # int
    :'email', # text
    :'name', # text
    :'phone', # text or nil
    :'created_at', # timestamp
    keyword_init: true
  )

  # At most one row a customer: a one-to-one relation, because the reference is also the key.
  CustomerSettings = Struct.new(
    :'customer_id', # int
    :'newsletter', # bool
    :'language', # text
    keyword_init: true
  )

  # What a customer bought.
  Orders = Struct.new(
    :'id', # int
    :'customer_id', # int
    :'gift_for', # int or nil
    :'status', # text
    :'note', # text or nil
    :'placed_at', # timestamp
    keyword_init: true
  )

  # A row of `order_lines`.
  OrderLines = Struct.new(
    :'order_id', # int
    :'line', # int
    :'product_id', # int
    :'quantity', # int
    :'unit_price', # decimal(10,2)
    keyword_init: true
  )

  # What people say; anybody may write one.
  Reviews = Struct.new(
    :'id', # uuid
    :'product_id', # int
    :'author', # text
    :'stars', # int
    :'body', # text or nil
    :'written_at', # timestamp
    keyword_init: true
  )

  # Lines and pieces of each order.
  OrderTotals = Struct.new(
    :'order_id', # int
    :'lines', # bigint
    :'pieces', # bigint
    keyword_init: true
  )

  # What `best_sellers` is called with.
  BestSellersArguments = Struct.new(
    :'since', # date
    :'most', # int
    keyword_init: true
  )

  # A row that `best_sellers` gives back.
  BestSellersResult = Struct.new(
    :'product_id', # int
    :'pieces', # bigint
    :'turnover', # decimal(12,2)
    keyword_init: true
  )

  # What `cancel_order` is called with.
  CancelOrderArguments = Struct.new(
    :'order_id', # int
    keyword_init: true
  )

  # What `similar_products` is called with.
  SimilarProductsArguments = Struct.new(
    :'product_id', # int
    keyword_init: true
  )
end
