using System.Collections.Immutable;
using System.Text;
using Harepd.Config;
using Xunit;

namespace Harepd.Tests.Config;

/// <summary>A configuration in a temporary file, read as on a host where every named file exists.</summary>
internal sealed class TemporaryConfig : IDisposable
{
    /// <summary>The least a data node needs.</summary>
    public const string Minimal = """
        harepd:
          nodeName: "node_1"
          primaryIP: "10.0.0.1"
          hbaConfig: "/etc/postgresql/15/main/pg_hba.conf"
          haproxy:
            server: ["10.0.0.9"]
            users: { readWrite: "harw" }
          repmgr: { user: "repmgr", db: "repmgr" }
          gRPC:
            bindAddress: "10.0.0.1"
            neighbours: ["10.0.0.2:10000"]
            witness: "10.0.0.3:10000"
        """;

    public static readonly ConfigEnvironment Everything = new()
    {
        FileExists = _ => true,
        Variable = _ => null,
        ReadLines = _ => null,
        UserName = "postgres",
        HomeFolder = "/var/lib/postgresql",
    };

    public TemporaryConfig(byte[] content) => System.IO.File.WriteAllBytes(File, content);

    public TemporaryConfig(string content)
        : this(Encoding.UTF8.GetBytes(content))
    {
    }

    public string File { get; } = Path.Combine(Path.GetTempPath(), $"harepd-config-{Guid.NewGuid():N}.yml");

    /// <summary>The minimal file with one text replaced by another, which must occur in it.</summary>
    public static string With(string old, string replacement)
    {
        Assert.Contains(old, Minimal, StringComparison.Ordinal);
        return Minimal.Replace(old, replacement, StringComparison.Ordinal);
    }

    /// <summary>The minimal file with lines added, which are indented as if they stood below "harepd:".</summary>
    public static string Plus(string lines) => $"{Minimal}\n  {lines.Replace("\n", "\n  ", StringComparison.Ordinal)}\n";

    public static ConfigResult Read(string content, DaemonMode mode = DaemonMode.Both, ConfigEnvironment? environment = null)
    {
        using var file = new TemporaryConfig(content);
        return ConfigReader.Read(file.File, mode, environment ?? Everything);
    }

    public static HarepdConfig Good(string content, DaemonMode mode = DaemonMode.Both, ConfigEnvironment? environment = null)
    {
        var result = Read(content, mode, environment);
        return result is ConfigResult.Valid valid
            ? valid.Config
            : throw new Xunit.Sdk.XunitException(string.Join('\n', ((ConfigResult.Invalid)result).Errors));
    }

    public static ImmutableArray<ConfigError> Bad(string content, DaemonMode mode = DaemonMode.Both, ConfigEnvironment? environment = null) =>
        Assert.IsType<ConfigResult.Invalid>(Read(content, mode, environment)).Errors;

    /// <summary>The file's only error.</summary>
    public static ConfigError OneError(string content, DaemonMode mode = DaemonMode.Both, ConfigEnvironment? environment = null) =>
        Assert.Single(Bad(content, mode, environment));

    public void Dispose() => System.IO.File.Delete(File);
}
