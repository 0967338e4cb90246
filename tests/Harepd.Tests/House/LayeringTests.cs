using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Harepd.Tests.House;

/// <summary>Who may know whom: between projects, between Core's layers, and between the daemon's rooms.</summary>
public sealed partial class LayeringTests
{
    private static readonly string[] Layers = ["Model", "Observe", "Share", "Decide", "Act"];

    private static readonly string[] DaemonPackages =
    [
        "Google.Protobuf", "Grpc.Tools", "Npgsql", "YamlDotNet", "Serilog", "Serilog.Extensions.Logging", "System.CommandLine", "Spectre.Console",
    ];

    /// <summary>A project, what it may reference, and the packages it may use beside the analysers of all.</summary>
    public static TheoryData<string, string[], string[]> Projects() => new()
    {
        { "src/Harepd.Core/Harepd.Core.csproj", [], [] },
        { "src/Harepd.Grpc/Harepd.Grpc.csproj", [], ["Google.Protobuf", "Grpc.Tools"] },
        { "src/Harepd/Harepd.csproj", ["Harepd.Core", "Harepd.Grpc"], DaemonPackages },
        { "tests/Harepd.Lab/Harepd.Lab.csproj", ["Harepd.Core", "Harepd"], ["Npgsql"] },
    };

    /// <summary>A namespace of a package or project, and the folders of src/Harepd that may use it.</summary>
    public static TheoryData<string, string[]> Rooms() => new()
    {
        { "Npgsql", ["Postgres", "Repmgr"] },
        { "YamlDotNet", ["Config"] },
        { "Serilog", ["Logging"] },
        { "System.CommandLine", ["Cli"] },
        { "Spectre.Console", ["Cli"] },
        { "Harepd.Grpc", ["Peers", "Http"] },
        { "Harepd.Wire", ["Peers"] },
        { "Microsoft.AspNetCore", ["Peers", "Http"] },
    };

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_what_it_may_and_no_more(string project, string[] projects, string[] packages)
    {
        var xml = XDocument.Parse(Repository.Text(project));

        Assert.Empty(Included(xml, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)).Except(projects, StringComparer.Ordinal));
        Assert.Empty(Included(xml, "PackageReference").Except(packages, StringComparer.Ordinal));
    }

    [Fact]
    public void Core_uses_no_framework_beyond_the_runtime()
    {
        Assert.DoesNotContain("FrameworkReference", Repository.Text("src/Harepd.Core/Harepd.Core.csproj"), StringComparison.Ordinal);
    }

    [Fact]
    public void Package_versions_are_central()
    {
        Repository.AssertNone(Repository.Offences(Repository.Files(".csproj"), OwnVersion().IsMatch));
    }

    [Fact]
    public void Every_project_is_in_the_solution_and_has_a_lock_file()
    {
        var solution = Repository.Text("Harepd.sln").Replace('\\', '/');

        Assert.All(Repository.Files(".csproj"), project =>
        {
            Assert.Contains(project, solution, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(project)!, "packages.lock.json")), project);
        });
    }

    [Fact]
    public void The_arrows_in_core_go_one_way()
    {
        var declared = CoreFiles().SelectMany(file => TypeName().Matches(Code(file.Path)).Select(match => (file.Layer, Name: match.Groups[1].Value)))
            .GroupBy(type => type.Name, StringComparer.Ordinal)
            .ToDictionary(types => types.Key, types => types.Min(type => type.Layer), StringComparer.Ordinal);

        // A name may also be a property's; what counts is the name where only a type can stand.
        var offences =
            from file in CoreFiles()
            from match in TypePosition().Matches(Code(file.Path))
            let name = match.Groups.Values.Skip(1).First(found => found.Success).Value
            where declared.TryGetValue(name, out var layer) && layer > file.Layer
            select $"{file.Path} uses {name}";

        Repository.AssertNone(offences.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public void Core_names_no_namespace_of_a_higher_layer()
    {
        var offences =
            from file in CoreFiles()
            from match in CoreNamespace().Matches(Code(file.Path))
            where Array.IndexOf(Layers, match.Groups[1].Value) > file.Layer
            select $"{file.Path} uses {match.Value}";

        Repository.AssertNone(offences);
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void Each_outside_system_has_its_room(string name, string[] rooms)
    {
        var use = new Regex($@"\b{Regex.Escape(name)}\b");
        var offences =
            from path in Repository.Files(".cs")
            where path.StartsWith("src/Harepd/", StringComparison.Ordinal) && !rooms.Contains(path.Split('/')[2], StringComparer.Ordinal)
            where use.IsMatch(string.Join('\n', Code(path).Split('\n').Where(line => line.Contains("using ", StringComparison.Ordinal))))
            select path;

        Repository.AssertNone(offences);
    }

    private static IEnumerable<string> Included(XDocument project, string element) =>
        project.Descendants(element).Select(reference => (string)reference.Attribute("Include")!);

    // The files beside the folders, NodeMachine and its like, stand above all layers.
    private static IEnumerable<(string Path, int Layer)> CoreFiles() =>
        from path in Repository.Files(".cs")
        where path.StartsWith("src/Harepd.Core/", StringComparison.Ordinal)
        let layer = Array.IndexOf(Layers, path.Split('/')[2])
        select (path, layer < 0 ? Layers.Length : layer);

    private static string Code(string path) => CommentOrText().Replace(Repository.Text(path), "");

    [GeneratedRegex("//[^\\n]*|\"(?:[^\"\\\\\\n]|\\\\.)*\"")]
    private static partial Regex CommentOrText();

    [GeneratedRegex(@"\b(?:class|struct|record|interface|enum)\s+(?:struct\s+|class\s+)?([A-Z]\w*)")]
    private static partial Regex TypeName();

    [GeneratedRegex(
        @"(?:\bnew|\bis|\bas|\bcase|\bis not|\btypeof\()\s*([A-Z]\w*)|[(,<]\s*([A-Z]\w*)\??\s+[a-z]\w*|\b([A-Z]\w*)\??(?:\[\])?\s+[A-Z]\w*\s*(?:\{|=>|\()|<([A-Z]\w*)>")]
    private static partial Regex TypePosition();

    [GeneratedRegex("PackageReference.*Version=")]
    private static partial Regex OwnVersion();

    [GeneratedRegex(@"\bHarepd\.Core\.(\w+)")]
    private static partial Regex CoreNamespace();
}
