//! Seeds.

use mainstay::transfer::{SeedMode, Seeded, TransferError, seed};

use crate::support::{SHOP, World};

async fn run(world: &World, mode: SeedMode) -> Result<Seeded, TransferError> {
    seed(&*world.store, &world.schema, &world.folder.path().join("seed"), mode).await
}

fn counts(seeded: &Seeded) -> Vec<(&str, Option<u64>)> {
    seeded.tables.iter().map(|table| (&*table.table, table.rows)).collect()
}

#[tokio::test]
async fn targets_of_references_come_first_and_full_tables_are_left_alone() {
    let world = World::new(SHOP);
    // In the order of names and of the schema, sales would come last anyway; another schema turns them around.
    let turned =
        "[a_sales.fields]\nid = { type = \"int\", primary = true }\nitem = { ref = \"items\" }\n".to_owned() + SHOP;
    let turned = World::new(&turned);
    for (world, table) in [(&world, "sales"), (&turned, "a_sales")] {
        world.file("seed/items.csv", "id,title\n1,a\n2,b\n");
        let record = if table == "sales" { "{\"item\":2,\"count\":3}\n" } else { "{\"item\":2,\"id\":1}\n" };
        world.file(&format!("seed/{table}.ndjson"), record);
        let first = run(world, SeedMode::Empty).await.unwrap();
        assert_eq!(counts(&first), [("items", Some(2)), (table, Some(1))]);
        let second = run(world, SeedMode::Empty).await.unwrap();
        assert_eq!(counts(&second), [("items", None), (table, None)]);
        assert_eq!(world.rows(table, "select=item").await, "2\n");
    }
}

#[tokio::test]
async fn seeding_again_merges() {
    let world = World::new(SHOP);
    world.file("seed/items.csv", "id,title\n1,a\n2,b\n");
    run(&world, SeedMode::Again).await.unwrap();
    world.file("seed/items.csv", "id,title\n2,new\n3,c\n");
    run(&world, SeedMode::Again).await.unwrap();
    assert_eq!(world.rows("items", "select=id,title&order=id").await, "1,a\n2,new\n3,c\n");
}

#[tokio::test]
async fn a_wrong_record_is_told_with_file_and_line() {
    let check = async |name: &str, text: &str, expected: &str| {
        let world = World::new(SHOP);
        world.file("seed/items.csv", "id,title\n1,a\n");
        world.file(name, text);
        let error = run(&world, SeedMode::Empty).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}: {expected}");
        assert_eq!(world.rows("sales", "").await, "");
    };
    check("seed/sales.csv", "item,count\n1,1\n1,0\n", "seed/sales.csv:3: count must be at least 1").await;
    check("seed/sales.csv", "item,count\n1,1\n1,2\n\n7,2\n1,3\n", "seed/sales.csv:5: ").await;
    check("seed/sales.ndjson", "{\"item\":1,\"count\":1}\n{\"item\":1}\n", "seed/sales.ndjson:2: count is missing")
        .await;
    check("seed/sale.csv", "item\n", "there is no table \"sale\"; did you mean \"sales\"?").await;
    check("seed/items.json", "[]", "are both for table items").await;
}

#[tokio::test]
async fn rows_may_refer_to_later_rows_of_their_own_table() {
    let tree =
        "[nodes.fields]\nid = { type = \"int\", primary = true }\nparent = { ref = \"nodes\", optional = true }\n";
    let world = World::new(tree);
    world.file("seed/nodes.csv", "id,parent\n1,\n2,3\n3,1\n4,9\n5,4\n");
    let error = run(&world, SeedMode::Empty).await.unwrap_err().to_string();
    assert!(error.contains("seed/nodes.csv:5: the row that it refers to is not there"), "{error}");
    world.file("seed/nodes.csv", "id,parent\n1,\n2,3\n3,1\n");
    assert_eq!(run(&world, SeedMode::Empty).await.unwrap().rows(), 3);
}

#[tokio::test]
async fn no_folder_and_other_files_are_nothing_to_seed() {
    let world = World::new(SHOP);
    assert_eq!(run(&world, SeedMode::Empty).await.unwrap(), Seeded::default());
    world.file("seed/README.md", "words");
    world.file("seed/.hidden.csv", "words");
    assert_eq!(run(&world, SeedMode::Empty).await.unwrap(), Seeded::default());
}
