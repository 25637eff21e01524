// Made by `mainstay types` from the schema; made anew when the schema changes.

using System;
using System.Collections.Generic;
using System.Runtime.Serialization;

namespace Database
{
    /// <summary>* / ? > &lt;% " ''' ⧵ ${x} #{y}</summary>
    [DataContract]
    public sealed class MyOrders
    {
        [DataMember(Name = "class")]
        public int Class { get; set; }

        [DataMember(Name = "first word")]
        public string FirstWord { get; set; }

        [DataMember(Name = "first_word")]
        public string FirstWord2 { get; set; }

        [DataMember(Name = "größe")]
        public decimal GrE { get; set; }

        [DataMember(Name = "self")]
        public object Self { get; set; }

        [DataMember(Name = "def")]
        public List<int?> Def { get; set; }

        [DataMember(Name = "record")]
        public DateTimeOffset Record { get; set; }

        [DataMember(Name = "ISBN$")]
        public string ISBN { get; set; }
    }

    /// <summary>A new row of `my orders`; null for what is left out.</summary>
    [DataContract]
    public sealed class MyOrdersInsert
    {
        [DataMember(Name = "class", EmitDefaultValue = false)]
        public int Class { get; set; }

        [DataMember(Name = "first word", EmitDefaultValue = false)]
        public string FirstWord { get; set; }

        [DataMember(Name = "first_word", EmitDefaultValue = false)]
        public string FirstWord2 { get; set; }

        [DataMember(Name = "größe", EmitDefaultValue = false)]
        public decimal GrE { get; set; }

        [DataMember(Name = "self", EmitDefaultValue = false)]
        public object Self { get; set; }

        [DataMember(Name = "def", EmitDefaultValue = false)]
        public List<int?> Def { get; set; }

        [DataMember(Name = "record", EmitDefaultValue = false)]
        public DateTimeOffset? Record { get; set; }

        [DataMember(Name = "ISBN$", EmitDefaultValue = false)]
        public string ISBN { get; set; }
    }

    /// <summary>A row of `my_orders`.</summary>
    [DataContract]
    public sealed class MyOrders2
    {
        [DataMember(Name = "id")]
        public int Id { get; set; }
    }

    /// <summary>A new row of `my_orders`; null for what is left out.</summary>
    [DataContract]
    public sealed class MyOrders2Insert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public int Id { get; set; }
    }

    /// <summary>A row of `class`.</summary>
    [DataContract]
    public sealed class ClassRow
    {
        [DataMember(Name = "id")]
        public Guid Id { get; set; }

        [DataMember(Name = "type")]
        public int? Type { get; set; }
    }

    /// <summary>A new row of `class`; null for what is left out.</summary>
    [DataContract]
    public sealed class ClassRowInsert
    {
        [DataMember(Name = "id", EmitDefaultValue = false)]
        public Guid Id { get; set; }

        [DataMember(Name = "type", EmitDefaultValue = false)]
        public int? Type { get; set; }
    }}
