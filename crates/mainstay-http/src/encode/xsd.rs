//! The XML Schema of an answer, made from the shape of its rows: what a validator, or a generator of classes, needs.
//!
//! Every element is optional and may be null, so that one schema holds for whole answers, for those without nulls, and
//! for bodies that give some columns only.

use std::fmt::Write as _;

use mainstay_query::plan::{MemberKind, Shape};
use mainstay_query::xml::element_name;
use mainstay_schema::Type;

/// The XML Schema of rows of this shape, as `<rows>` and as a `<row>` that stands alone.
pub fn xml_schema(shape: &Shape) -> String {
    let mut out = String::from(START);
    row_type(&mut out, shape, 1, Some("row"));
    out.push_str(ROOTS);
    out
}

const START: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n",
    "  <!-- Text. What XML cannot hold is there as base64. -->\n",
    "  <xs:complexType name=\"text\">\n",
    "    <xs:simpleContent>\n",
    "      <xs:extension base=\"xs:string\">\n",
    "        <xs:attribute name=\"encoding\" type=\"xs:string\" fixed=\"base64\"/>\n",
    "      </xs:extension>\n",
    "    </xs:simpleContent>\n",
    "  </xs:complexType>\n",
    "  <xs:simpleType name=\"bytes\">\n",
    "    <xs:restriction base=\"xs:string\"><xs:pattern value=\"\\\\x([0-9a-fA-F]{2})*\"/></xs:restriction>\n",
    "  </xs:simpleType>\n",
    "  <xs:simpleType name=\"uuid\">\n",
    "    <xs:restriction base=\"xs:string\">",
    "<xs:pattern value=\"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\"/></xs:restriction>\n",
    "  </xs:simpleType>\n",
);

const ROOTS: &str = concat!(
    "  <xs:element name=\"row\" type=\"row\"/>\n",
    "  <xs:element name=\"rows\">\n",
    "    <xs:complexType>\n",
    "      <xs:sequence><xs:element name=\"row\" type=\"row\" minOccurs=\"0\" maxOccurs=\"unbounded\"/></xs:sequence>\n",
    "    </xs:complexType>\n",
    "  </xs:element>\n",
    "</xs:schema>\n",
);

/// The type of a row; with a name for the rows of the answer itself.
fn row_type(out: &mut String, shape: &Shape, depth: usize, name: Option<&str>) {
    let pad = "  ".repeat(depth);
    let name = name.map_or(String::new(), |name| format!(" name=\"{name}\""));
    let _ = writeln!(out, "{pad}<xs:complexType{name}>\n{pad}  <xs:sequence>");
    for member in &shape.members {
        element(out, &element_name(&member.name), &member.kind, depth + 2);
    }
    let _ = writeln!(out, "{pad}  </xs:sequence>\n{pad}</xs:complexType>");
}

fn element(out: &mut String, name: &str, kind: &MemberKind, depth: usize) {
    let pad = "  ".repeat(depth);
    let open = format!("{pad}<xs:element name=\"{name}\" minOccurs=\"0\" nillable=\"true\"");
    let _ = match kind {
        MemberKind::Value(Type::Array(item)) => {
            let _ = writeln!(out, "{open}>\n{pad}  <xs:complexType>\n{pad}    <xs:sequence>");
            let item_open = format!(
                "{pad}      <xs:element name=\"item\" minOccurs=\"0\" maxOccurs=\"unbounded\" nillable=\"true\""
            );
            value(out, &item_open, item, depth + 3);
            writeln!(out, "{pad}    </xs:sequence>\n{pad}  </xs:complexType>\n{pad}</xs:element>")
        }
        MemberKind::Value(ty) => {
            value(out, &open, ty, depth);
            Ok(())
        }
        MemberKind::One(shape) => {
            let _ = writeln!(out, "{open}>");
            row_type(out, shape, depth + 1, None);
            writeln!(out, "{pad}</xs:element>")
        }
        MemberKind::Many(shape) => {
            let _ = writeln!(out, "{open}>\n{pad}  <xs:complexType>\n{pad}    <xs:sequence>");
            let _ = writeln!(out, "{pad}      <xs:element name=\"row\" minOccurs=\"0\" maxOccurs=\"unbounded\">");
            row_type(out, shape, depth + 4, None);
            let _ = writeln!(out, "{pad}      </xs:element>");
            writeln!(out, "{pad}    </xs:sequence>\n{pad}  </xs:complexType>\n{pad}</xs:element>")
        }
    };
}

/// The rest of an element that holds a value of this type.
fn value(out: &mut String, open: &str, ty: &Type, depth: usize) {
    let pad = "  ".repeat(depth);
    let name = match ty {
        Type::Bool => "xs:boolean",
        Type::Int => "xs:int",
        Type::BigInt => "xs:long",
        Type::Float => "xs:double",
        Type::Text | Type::Json | Type::Array(_) => "text",
        Type::Uuid => "uuid",
        Type::Bytes => "bytes",
        Type::Date => "xs:date",
        Type::Time => "xs:time",
        Type::Timestamp => "xs:dateTime",
        Type::Decimal { precision, scale } => {
            let _ = writeln!(
                out,
                "{open}>\n{pad}  <xs:simpleType>\n{pad}    <xs:restriction base=\"xs:decimal\"><xs:totalDigits \
                 value=\"{precision}\"/><xs:fractionDigits value=\"{scale}\"/></xs:restriction>\n{pad}  \
                 </xs:simpleType>\n{pad}</xs:element>"
            );
            return;
        }
    };
    let _ = writeln!(out, "{open} type=\"{name}\"/>");
}

#[cfg(test)]
mod tests {
    use mainstay_query::xml::{BASE64, ENCODING};

    use super::super::model::nested_shape;
    use super::*;

    #[test]
    fn every_member_is_described() {
        let schema = xml_schema(&nested_shape());
        for line in [
            "<xs:element name=\"id\" minOccurs=\"0\" nillable=\"true\" type=\"xs:int\"/>",
            "<xs:element name=\"n\" minOccurs=\"0\" nillable=\"true\" type=\"text\"/>",
            "<xs:element name=\"one\" minOccurs=\"0\" nillable=\"true\">",
            "<xs:element name=\"many\" minOccurs=\"0\" nillable=\"true\">",
        ] {
            assert_eq!(schema.matches(line).count(), 1, "{schema}");
        }
        // The constants are those of the encoder.
        assert!(START.contains(&format!("name=\"{ENCODING}\"")) && START.contains(&format!("fixed=\"{BASE64}\"")));
    }
}
