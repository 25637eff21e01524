# frozen_string_literal: true

# Made by `mainstay types` from the schema; made anew when the schema changes.
module Database
  # * / ? > <% " ''' ⧵ ${x} #{y}
  MyOrders = Struct.new(
    :'class', # int
    :'first word', # text or nil
    :'first_word', # text or nil
    :'größe', # decimal(30,10)
    :'self', # json
    :'def', # int[]
    :'record', # timestamp
    :'ISBN$', # bytes or nil
    keyword_init: true
  )

  # A row of `my_orders`.
  MyOrders2 = Struct.new(
    :'id', # int
    keyword_init: true
  )

  # A row of `class`.
  ClassRow = Struct.new(
    :'id', # uuid
    :'type', # int or nil
    keyword_init: true
  )
end
