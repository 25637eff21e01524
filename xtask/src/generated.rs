//! Clients that openapi-generator makes from our description: they are generated for five languages and compiled, and
//! those for Python and Java are run against the running shop. So are the types of `mainstay types` compiled here.
//!
//! The generator comes from Maven Central, what the clients need from Maven Central, PyPI and npm, and compilers that
//! are missing from Debian's packages, if this runs as root. Everything lies under `target/e2e/generated/`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};

use crate::clients::{built, npm_packages, python_packages};
use crate::debian;
use crate::process::{self, output, program, root, target};

/// The generator, pinned: what it writes is compiled and run as it is.
const GENERATOR: &str = "org.openapitools:openapi-generator-cli:7.16.0";
/// The plugin of Maven that fetches it.
const FETCH: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// Each language: the generator's name of it, and its settings.
const LANGUAGES: [(&str, &[&str]); 5] = [
    ("java", &["--additional-properties=hideGenerationTimestamp=true"]),
    ("python", &[]),
    ("php", &[]),
    ("ruby", &[]),
    (
        "csharp",
        &[
            "--library",
            "httpclient",
            "--additional-properties=targetFramework=netstandard2.0,nullableReferenceTypes=false,validatable=false",
        ],
    ),
];

/// Generates, compiles and runs the clients.
///
/// # Errors
/// When something that is needed cannot be had, or a client does not compile or does not do what it should.
pub(crate) fn clients() -> anyhow::Result<()> {
    debian::need(&[
        ("javac", "default-jdk-headless"),
        ("mvn", "maven"),
        ("php", "php-cli"),
        ("ruby", "ruby"),
        ("mcs", "mono-mcs libmono-cil-dev"),
    ])?;
    let folder = target().join("e2e/generated");
    fs::create_dir_all(&folder)?;
    let binary = built()?;
    let example = root().join("examples/shop");
    let text =
        output(program(&binary).args(["openapi", "--server-url", "http://127.0.0.1:8080/rest/v1"]).arg(&example))?;
    fs::write(folder.join("api.json"), &text)?;
    generate(&folder, &text)?;
    php(&folder.join("php"))?;
    ruby(&folder.join("ruby"))?;
    csharp(&folder)?;
    let python = python(&folder)?;
    process::run(program(&python).args(["-m", "openapi_spec_validator"]).arg(folder.join("api.json")))?;
    types(&python)?;
    let java = java(&folder)?;

    let shop = Shop::start(&binary, &example, &folder.join("shop"))?;
    process::run(shop.tell(program(&python)).current_dir(folder.join("python")).args([
        "-m",
        "unittest",
        "--verbose",
        "test_shop",
    ]))?;
    process::run(shop.tell(program("java")).arg("-cp").arg(java).arg("ShopTest"))
}

/// Writes the clients anew unless they are there, made from the same description.
fn generate(folder: &Path, text: &str) -> anyhow::Result<()> {
    let (_, version) = GENERATOR.rsplit_once(':').context("the generator has a version")?;
    let jar = folder.join(format!("openapi-generator-cli-{version}.jar"));
    if !jar.exists() {
        let to = format!("-DoutputDirectory={}", folder.display());
        process::run(program("mvn").args([
            "-q",
            "-B",
            &format!("{FETCH}:copy"),
            &format!("-Dartifact={GENERATOR}"),
            &to,
        ]))?;
    }
    let stamp = folder.join("generated");
    let wanted = format!("{GENERATOR} {LANGUAGES:?}\n{text}");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    for (language, settings) in LANGUAGES {
        let to = folder.join(language);
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        let mut command = program("java");
        // Its notes are long; what is wrong with a client shows when it is compiled.
        command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=error").arg("-jar").arg(&jar);
        command.args(["generate", "-g", language, "-i"]).arg(folder.join("api.json")).arg("-o").arg(&to).args(settings);
        process::run(command.stdout(Stdio::null()))?;
    }
    Ok(fs::write(stamp, wanted)?)
}

/// Reads every file of the PHP client.
fn php(folder: &Path) -> anyhow::Result<()> {
    each(folder, "php", |file| program("php").arg("-l").arg(file).stdout(Stdio::null()).status())
}

/// Reads every file of the Ruby client.
fn ruby(folder: &Path) -> anyhow::Result<()> {
    each(folder, "rb", |file| program("ruby").arg("-c").arg(file).stdout(Stdio::null()).status())
}

fn each(
    folder: &Path,
    ending: &str,
    check: impl Fn(&Path) -> std::io::Result<std::process::ExitStatus>,
) -> anyhow::Result<()> {
    let files = files(folder, ending)?;
    ensure!(files.len() > 10, "no client is in {}", folder.display());
    for file in &files {
        ensure!(check(file)?.success(), "{} is not {ending}", file.display());
    }
    eprintln!("{} files of {ending} are in order", files.len());
    Ok(())
}

/// Compiles the C# client. Json.NET is taken from the one registry at hand that has it; a stand-in for Polly is ours.
fn csharp(folder: &Path) -> anyhow::Result<()> {
    let packages = folder.join("csharp-packages");
    fs::create_dir_all(&packages)?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(root().join("e2e/generated/csharp").join(name), packages.join(name))?;
    }
    npm_packages(&packages)?;
    let json = packages
        .join("node_modules/jillejr.newtonsoft.json-for-unity/Plugins/Newtonsoft.Json Editor/Newtonsoft.Json.dll");
    let mut command = mcs(&folder.join("client.dll"));
    for library in ["System.Net.Http", "System.ComponentModel.DataAnnotations", "System.Web"] {
        command.arg(format!("-r:{library}.dll"));
    }
    command.arg(format!("-r:{}", json.display())).arg(root().join("e2e/generated/csharp/Polly.cs"));
    process::run(command.args(files(&folder.join("csharp/src/Org.OpenAPITools"), "cs")?))
}

fn mcs(out: &Path) -> Command {
    let mut command = program("mcs");
    command.args(["-langversion:latest", "-nowarn:219,1591", "-target:library", "-r:System.Runtime.Serialization.dll"]);
    command.arg(format!("-out:{}", out.display()));
    command
}

/// Installs what the Python client needs, and gives the interpreter that has it.
fn python(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::copy(root().join("e2e/generated/requirements.txt"), folder.join("requirements.txt"))?;
    let python = python_packages(folder)?;
    fs::copy(root().join("e2e/generated/test_shop.py"), folder.join("python/test_shop.py"))?;
    Ok(python)
}

/// Compiles the Java client with its test, and gives the class path to run it.
fn java(folder: &Path) -> anyhow::Result<String> {
    let libraries = folder.join("java-libraries");
    if !libraries.exists() {
        let to = format!("-DoutputDirectory={}", libraries.display());
        let project = folder.join("java/pom.xml");
        let copy = format!("{FETCH}:copy-dependencies");
        process::run(program("mvn").args(["-q", "-B", "-f"]).arg(project).args([&copy, &to]))?;
    }
    let classes = folder.join("java-classes");
    fs::create_dir_all(&classes)?;
    let path = format!("{}:{}/*", classes.display(), libraries.display());
    let mut command = program("javac");
    command.args(["-nowarn", "-Xlint:none", "-encoding", "UTF-8", "-cp", &path, "-d"]).arg(&classes);
    command.args(files(&folder.join("java/src/main"), "java")?).arg(root().join("e2e/generated/ShopTest.java"));
    quietly(&mut command)?;
    Ok(path)
}

/// Compiles what `mainstay types` writes: of the shop, and of a schema whose names no language likes.
fn types(python: &Path) -> anyhow::Result<()> {
    for folder in ["e2e/types", "e2e/types/hostile"] {
        let file = |ending: &str| root().join(folder).join(format!("Database.{ending}"));
        let out = target().join("e2e/generated/types").join(folder);
        fs::create_dir_all(&out)?;
        process::run(program("javac").args(["-encoding", "UTF-8", "-d"]).arg(&out).arg(file("java")))?;
        process::run(mcs(&out.join("types.dll")).arg(file("cs")))?;
        process::run(program("php").arg("-l").arg(file("php")))?;
        process::run(program("ruby").arg(file("rb")))?;
        process::run(
            program(python)
                .args(["-m", "mypy", "--strict", "--no-error-summary", "--cache-dir"])
                .arg(&out)
                .arg(file("py")),
        )?;
        if process::is_there("gofmt") {
            process::run(program("go").arg("vet").arg(file("go")))?;
        } else {
            println!("not run: types for Go (there is no Go here)");
        }
    }
    Ok(())
}

/// Runs a command whose words would fill the screen.
fn quietly(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    eprintln!("$ {name} …");
    ensure!(command.status().with_context(|| format!("starting {name}"))?.success(), "{name} failed");
    Ok(())
}

/// Every file with this ending below a folder.
fn files(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A shop that is served until this is dropped.
struct Shop {
    server: Child,
    url: String,
    keys: Vec<(String, String)>,
}

impl Shop {
    fn start(binary: &Path, example: &Path, folder: &Path) -> anyhow::Result<Shop> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        process::run(program("cp").arg("-r").arg(example).arg(folder))?;
        // What somebody who tried the example has left in it is not part of it.
        let state = folder.join(".mainstay");
        if state.exists() {
            fs::remove_dir_all(state)?;
        }
        let keys = output(program(binary).arg("keys").arg(folder))?;
        let keys =
            keys.lines().filter_map(|line| line.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let mut command = program(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--set", "log.level=warn"]).arg(folder);
        let mut server = command.stdout(Stdio::piped()).spawn().context("starting the server")?;
        let lines = BufReader::new(server.stdout.take().context("its output")?).lines();
        let url = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let mut shop = Shop { server, url: String::new(), keys };
        shop.url = url.context("the server ended before it listened")?;
        Ok(shop)
    }

    /// A command that is told where the shop is, and its keys.
    fn tell(&self, mut command: Command) -> Command {
        command.env("MAINSTAY_URL", &self.url).envs(self.keys.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
