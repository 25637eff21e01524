// Made by `mainstay types` from the schema; made anew when the schema changes.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  __InternalSupabase: {
    PostgrestVersion: "13.0"
  }
  public: {
    Tables: {
      categories: {
        Row: {
          id: number
          name: string
          parent_id: number | null
        }
        Insert: {
          id: number
          name: string
          parent_id?: number | null
        }
        Update: {
          id?: number
          name?: string
          parent_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "categories_parent_id_fkey"
            columns: ["parent_id"]
            isOneToOne: false
            referencedRelation: "categories"
            referencedColumns: ["id"]
          },
        ]
      }
      products: {
        Row: {
          id: number
          slug: string
          name: string
          price: number
          weight_kg: number | null
          tags: string[]
          attributes: Json
          available: boolean
          added_on: string
          updated_at: string
        }
        Insert: {
          id?: number
          slug: string
          name: string
          price: number
          weight_kg?: number | null
          tags?: string[]
          attributes?: Json
          available?: boolean
          added_on: string
          updated_at?: string
        }
        Update: {
          id?: number
          slug?: string
          name?: string
          price?: number
          weight_kg?: number | null
          tags?: string[]
          attributes?: Json
          available?: boolean
          added_on?: string
          updated_at?: string
        }
        Relationships: [
        ]
      }
      product_categories: {
        Row: {
          product_id: number
          category_id: number
        }
        Insert: {
          product_id: number
          category_id: number
        }
        Update: {
          product_id?: number
          category_id?: number
        }
        Relationships: [
          {
            foreignKeyName: "product_categories_product_id_fkey"
            columns: ["product_id"]
            isOneToOne: false
            referencedRelation: "products"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "product_categories_category_id_fkey"
            columns: ["category_id"]
            isOneToOne: false
            referencedRelation: "categories"
            referencedColumns: ["id"]
          },
        ]
      }
      customers: {
        Row: {
          id: number
          email: string
          name: string
          phone: string | null
          created_at: string
        }
        Insert: {
          id?: number
          email: string
          name: string
          phone?: string | null
          created_at?: string
        }
        Update: {
          id?: number
          email?: string
          name?: string
          phone?: string | null
          created_at?: string
        }
        Relationships: [
        ]
      }
      customer_settings: {
        Row: {
          customer_id: number
          newsletter: boolean
          language: Database["public"]["Enums"]["customer_settings_language"]
        }
        Insert: {
          customer_id: number
          newsletter?: boolean
          language?: Database["public"]["Enums"]["customer_settings_language"]
        }
        Update: {
          customer_id?: number
          newsletter?: boolean
          language?: Database["public"]["Enums"]["customer_settings_language"]
        }
        Relationships: [
          {
            foreignKeyName: "customer_settings_customer_id_fkey"
            columns: ["customer_id"]
            isOneToOne: true
            referencedRelation: "customers"
            referencedColumns: ["id"]
          },
        ]
      }
      orders: {
        Row: {
          id: number
          customer_id: number
          gift_for: number | null
          status: Database["public"]["Enums"]["orders_status"]
          note: string | null
          placed_at: string
        }
        Insert: {
          id?: number
          customer_id: number
          gift_for?: number | null
          status?: Database["public"]["Enums"]["orders_status"]
          note?: string | null
          placed_at?: string
        }
        Update: {
          id?: number
          customer_id?: number
          gift_for?: number | null
          status?: Database["public"]["Enums"]["orders_status"]
          note?: string | null
          placed_at?: string
        }
        Relationships: [
          {
            foreignKeyName: "orders_customer_id_fkey"
            columns: ["customer_id"]
            isOneToOne: false
            referencedRelation: "customers"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "orders_gift_for_fkey"
            columns: ["gift_for"]
            isOneToOne: false
            referencedRelation: "customers"
            referencedColumns: ["id"]
          },
        ]
      }
      order_lines: {
        Row: {
          order_id: number
          line: number
          product_id: number
          quantity: number
          unit_price: number
        }
        Insert: {
          order_id: number
          line: number
          product_id: number
          quantity: number
          unit_price: number
        }
        Update: {
          order_id?: number
          line?: number
          product_id?: number
          quantity?: number
          unit_price?: number
        }
        Relationships: [
          {
            foreignKeyName: "order_lines_order_id_fkey"
            columns: ["order_id"]
            isOneToOne: false
            referencedRelation: "orders"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "order_lines_product_id_fkey"
            columns: ["product_id"]
            isOneToOne: false
            referencedRelation: "products"
            referencedColumns: ["id"]
          },
        ]
      }
      reviews: {
        Row: {
          id: string
          product_id: number
          author: string
          stars: number
          body: string | null
          written_at: string
        }
        Insert: {
          id?: string
          product_id: number
          author: string
          stars: number
          body?: string | null
          written_at?: string
        }
        Update: {
          id?: string
          product_id?: number
          author?: string
          stars?: number
          body?: string | null
          written_at?: string
        }
        Relationships: [
          {
            foreignKeyName: "reviews_product_id_fkey"
            columns: ["product_id"]
            isOneToOne: false
            referencedRelation: "products"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Views: {
      order_totals: {
        Row: {
          order_id: number
          lines: number
          pieces: number
        }
        Relationships: [
          {
            foreignKeyName: "order_totals_order_id_fkey"
            columns: ["order_id"]
            isOneToOne: true
            referencedRelation: "orders"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Functions: {
      best_sellers: {
        Args: { since?: string; most?: number }
        Returns: { product_id: number; pieces: number; turnover: number }[]
      }
      cancel_order: {
        Args: { order_id: number }
        Returns: Database["public"]["Tables"]["orders"]["Row"][]
        SetofOptions: {
          from: "*"
          to: "orders"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      similar_products: {
        Args: { product_id: number }
        Returns: Database["public"]["Tables"]["products"]["Row"][]
        SetofOptions: {
          from: "*"
          to: "products"
          isOneToOne: false
          isSetofReturn: true
        }
      }
    }
    Enums: {
      customer_settings_language: "en" | "de" | "fr" | "ja"
      orders_status: "new" | "paid" | "shipped" | "cancelled"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type Public = Database["public"]

/** A row of a table or view, as it is read. */
export type Tables<Name extends keyof (Public["Tables"] & Public["Views"])> =
  (Public["Tables"] & Public["Views"])[Name] extends { Row: infer Row } ? Row : never

/** A new row of a table. */
export type TablesInsert<Name extends keyof Public["Tables"]> =
  Public["Tables"][Name] extends { Insert: infer Insert } ? Insert : never

/** What to change in a row of a table. */
export type TablesUpdate<Name extends keyof Public["Tables"]> =
  Public["Tables"][Name] extends { Update: infer Update } ? Update : never

/** The texts that a column takes. */
export type Enums<Name extends keyof Public["Enums"]> = Public["Enums"][Name]

/** There are none; here for programs that name it. */
export type CompositeTypes<Name extends keyof Public["CompositeTypes"]> = Public["CompositeTypes"][Name]

/** The texts that columns take, for menus and checks. */
export const Constants = {
  public: {
    Enums: {
      customer_settings_language: ["en", "de", "fr", "ja"],
      orders_status: ["new", "paid", "shipped", "cancelled"],
    },
  },
} as const
