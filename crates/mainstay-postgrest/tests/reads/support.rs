//! A database of one test, and requests against it as one line of text.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mainstay_http::{Problem, Verbosity};
use mainstay_postgrest::catalog::{Catalog, Name, ReadOptions, ReturnType, read};
use mainstay_postgrest::plan::{PlanLimits, Planner, ReadPlan, Root};
use mainstay_postgrest::sql::{self, Body, Form, Sql, Total};
use mainstay_query::parse::{Purpose, query};
use mainstay_query::{Limits, ParseError};
use mainstay_stores::PostgresOptions;
use mainstay_stores::postgres::{Access, Failure, Isolation, Pool, Raw};

const FIXTURE: &str = include_str!("fixture.sql");

/// The server's URL with this database.
fn url(database: &str) -> String {
    let name = "MAINSTAY_TEST_POSTGRES_URL";
    let server = std::env::var(name)
        .unwrap_or_else(|_| panic!("not run: no PostgreSQL server; cargo xtask test starts one ({name} is not set)"));
    let (base, parameters) = server.split_once('?').unwrap_or((&server, ""));
    let (base, _) = base.rsplit_once('/').unwrap();
    format!("{base}/{database}?{parameters}")
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

async fn run(database: &str, sql: &str) {
    let pool = Pool::new(PostgresOptions::parse(&url(database)).unwrap()).unwrap();
    let mut session = pool.session(soon()).await.unwrap();
    session.batch_execute(sql).await.unwrap_or_else(|failure| panic!("{:?}", failure.server()));
    drop(session);
    pool.close().await;
}

pub(crate) struct Database {
    name: String,
    pool: Pool,
    catalog: Catalog,
}

/// A request on one line: words that say how, then `relation?query`.
struct Asked<'a> {
    form: Form,
    limits: PlanLimits,
    kind: Kind<'a>,
    target: &'a str,
    query: &'a str,
    counts: bool,
    /// Whether the statement is asked for, and not what it gives.
    is_text: bool,
}

/// What the rows are.
enum Kind<'a> {
    Read,
    /// Those that are deleted.
    Deleted,
    /// Those of a call with these arguments, as SQL.
    Called(&'a str),
}

impl<'a> Asked<'a> {
    fn new(line: &'a str) -> Asked<'a> {
        let form = Form { body: Body::Json, total: None, counts_inserted: false, location: Vec::new() };
        let limits = PlanLimits { rows_max: None, aggregates: true, plans_allowed: false, legacy_target_names: true };
        let mut asked = Asked { form, limits, kind: Kind::Read, target: "", query: "", counts: false, is_text: false };
        let mut rest = line;
        while let Some((word, more)) = rest.split_once(' ').filter(|(word, _)| word.chars().all(|c| c != '?')) {
            rest = more;
            match word.split_once('=').unwrap_or((word, "")) {
                ("object", _) => asked.form.body = Body::Object,
                ("stripped", _) => asked.form.body = Body::StrippedArray,
                ("stripped-object", _) => asked.form.body = Body::StrippedObject,
                ("csv", _) => asked.form.body = Body::Csv,
                ("nothing", _) => asked.form.body = Body::Nothing,
                ("count", _) => asked.counts = true,
                ("sql", _) => asked.is_text = true,
                ("max", rows) => asked.limits.rows_max = Some(rows.parse().unwrap()),
                ("plain", _) => asked.limits.aggregates = false,
                ("strict-names", _) => asked.limits.legacy_target_names = false,
                ("delete", _) => asked.kind = Kind::Deleted,
                ("call", arguments) => asked.kind = Kind::Called(arguments),
                _ => panic!("{word} in {line}"),
            }
        }
        (asked.target, asked.query) = rest.split_once('?').unwrap_or((rest, ""));
        asked
    }
}

/// Why there is no statement.
enum Refused {
    Parsed(ParseError),
    Planned(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused::Planned(problem)
    }
}

impl Database {
    pub(crate) async fn new() -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("mainstay_reads_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        run("postgres", &format!("CREATE DATABASE {name}")).await;
        run(&name, FIXTURE).await;
        let pool = Pool::new(PostgresOptions::parse(&url(&name)).unwrap()).unwrap();
        let catalog = read(&pool, &ReadOptions::of(["test"])).await.unwrap();
        Database { name, pool, catalog }
    }

    pub(crate) async fn close(self) {
        self.pool.close().await;
        run("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    /// The answer as text: numbers of rows and the body, or the error.
    pub(crate) async fn answer(&self, line: &str) -> String {
        let asked = Asked::new(line);
        let (statement, note) = match self.statement(&asked) {
            Err(Refused::Parsed(error)) => return format!("{error:?}"),
            Ok(statement) => statement,
            Err(Refused::Planned(problem)) => {
                return String::from_utf8(problem.to_json(Verbosity::Verbose).to_vec()).unwrap();
            }
        };
        if asked.is_text {
            return statement.finish().0;
        }
        match self.run(&statement, asked.form.body == Body::Csv).await {
            Ok(answer) => format!("{note}{answer}"),
            Err(failure) => match failure.server() {
                Some(error) => format!("{} {}", error.code().code(), error.message()),
                None => panic!("{line}: {failure:?}"),
            },
        }
    }

    fn statement(&self, asked: &Asked<'_>) -> Result<(Sql, String), Refused> {
        let limits = Limits { postgrest_only: true, aggregates: true, ..Limits::default() };
        let purpose = match asked.kind {
            Kind::Read => Purpose::Read,
            Kind::Deleted => Purpose::Delete,
            Kind::Called(_) => Purpose::Call,
        };
        let query = query(purpose, asked.query, &limits).map_err(Refused::Parsed)?;
        let planner = Planner { catalog: &self.catalog, schema: "test", limits: asked.limits.clone() };
        let mut form = asked.form.clone();
        let everything = || Sql::of("SELECT * FROM pgrst_source");
        let (plan, source, rows): (ReadPlan, Sql, Sql);
        match asked.kind {
            Kind::Read => {
                plan = planner.read(Root::Relation(planner.relation(asked.target)?), &query)?;
                if asked.is_text {
                    return Ok((if asked.counts { sql::count(&plan) } else { sql::rows(&plan) }, String::new()));
                }
                (source, rows) = (sql::rows(&plan), everything());
            }
            Kind::Deleted => {
                let relation = planner.relation(asked.target)?;
                plan = planner.read(Root::Written(relation), &query)?;
                let mut delete = Sql::of("DELETE FROM ");
                delete.name(&relation.name);
                if !plan.picks().is_empty() {
                    delete.push(" WHERE ").append(sql::conditions(plan.picks(), &relation.name));
                }
                delete.push(" RETURNING ").join(
                    ", ",
                    plan.returning().iter().map(|column| {
                        let mut piece = Sql::new();
                        piece.name(&relation.name).push(".").ident(column);
                        piece
                    }),
                );
                (source, rows) = (delete, sql::rows(&plan));
            }
            Kind::Called(arguments) => {
                let function = &self.catalog.functions[&Name::new("test", asked.target)][0];
                let relation = match &function.returns.what {
                    ReturnType::Composite { ty, .. } => self.catalog.relations.get(ty),
                    ReturnType::Void | ReturnType::Scalar(_) => None,
                };
                plan = planner.read(Root::Called { function, relation }, &query)?;
                let mut call = Sql::of("SELECT * FROM ");
                call.name(&function.name).push("(").push(arguments).push(")");
                (source, rows) = (call, sql::rows(&plan));
            }
        }
        if asked.counts {
            form.total = Some(Total::Of(sql::count(&plan)));
        }
        let used = plan.legacy_names().iter().map(|(name, alias)| format!("{name} is {alias}; "));
        Ok((sql::answer(source, rows, &form), used.collect()))
    }

    async fn run(&self, statement: &Sql, is_csv: bool) -> Result<String, Failure> {
        let mut session = self.pool.session(soon()).await?;
        let path = ("search_path".to_owned(), "test".to_owned());
        session.begin_with(Access::Write, Isolation::ReadCommitted, vec![path]);
        let (text, params) = statement.finish();
        let rows = session.query_all(&text, &params).await?;
        session.rollback().await?;
        let [row] = &rows[..] else { panic!("one row is expected: {text}") };
        let raw = |at: usize| row.try_get::<_, Option<Raw<'_>>>(at).unwrap().map(|raw| raw.0);
        let number = |at| raw(at).map(|octets| i64::from_be_bytes(octets.try_into().unwrap()));
        let total = number(0).map(|total| format!("/{total}")).unwrap_or_default();
        let body = raw(2).map(|octets| String::from_utf8_lossy(octets).into_owned()).unwrap_or_default();
        // Lines of CSV show where they end: a case ends with an empty line.
        let body =
            if is_csv { body.replace('\n', "⏎\n").trim_end().to_owned() } else { body.replace(", \n ", ",\n") };
        Ok(format!("{}{total} {body}", number(1).unwrap()))
    }
}
