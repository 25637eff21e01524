// Made by `mainstay types` from the schema; made anew when the schema changes.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  __InternalSupabase: {
    PostgrestVersion: "13.0"
  }
  public: {
    Tables: {
      "my orders": {
        Row: {
          class: number
          "first word": string | null
          first_word: Database["public"]["Enums"]["my orders_first_word"] | null
          "größe": number
          self: Json
          def: number[]
          record: string
          "ISBN$": string | null
        }
        Insert: {
          class: number
          "first word"?: string | null
          first_word?: Database["public"]["Enums"]["my orders_first_word"] | null
          "größe": number
          self: Json
          def: number[]
          record?: string
          "ISBN$"?: string | null
        }
        Update: {
          class?: number
          "first word"?: string | null
          first_word?: Database["public"]["Enums"]["my orders_first_word"] | null
          "größe"?: number
          self?: Json
          def?: number[]
          record?: string
          "ISBN$"?: string | null
        }
        Relationships: [
        ]
      }
      my_orders: {
        Row: {
          id: number
        }
        Insert: {
          id: number
        }
        Update: {
          id?: number
        }
        Relationships: [
        ]
      }
      class: {
        Row: {
          id: string
          type: number | null
        }
        Insert: {
          id: string
          type?: number | null
        }
        Update: {
          id?: string
          type?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "class_type_fkey"
            columns: ["type"]
            isOneToOne: false
            referencedRelation: "my orders"
            referencedColumns: ["class"]
          },
        ]
      }
    }
    Views: {
      [_ in never]: never
    }
    Functions: {
      [_ in never]: never
    }
    Enums: {
      "my orders_first_word": "a b" | "A-B" | "" | "1" | "$x" | "#{1}" | "'\"\\"
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
      "my orders_first_word": ["a b", "A-B", "", "1", "$x", "#{1}", "'\"\\"],
    },
  },
} as const
