using System.Text;
using Harepd.Core.Model;
using Harepd.Postgres.Hba;

namespace Harepd.Tests.Hba;

/// <summary>A policy and a source of files for the tests of the pure part.</summary>
internal static class HbaSamples
{
    public static readonly HbaPolicy Policy = new()
    {
        NodeName = "node_1",
        HaproxyServers = ["10.21.57.65"],
        ReadWriteUser = "harw",
        ReadOnlyUser = "haro",
        ExemptUsers = ["repmgr", "harepd"],
    };

    public static readonly Term Term7 = new(7);

    public static string With(this string file, HbaPolicy policy, Gate gate, Term? term = null, IHbaSource? source = null) =>
        Text(file.Edit(policy, gate, term, source).Bytes);

    public static HbaEdit Edit(this string file, HbaPolicy policy, Gate gate, Term? term = null, IHbaSource? source = null) =>
        Parse(file).WithBlock(policy, gate, term ?? Term7, "/etc/pg", source ?? new NoFiles());

    public static HbaFile Parse(string file) => HbaFile.Parse(Encoding.Latin1.GetBytes(file));

    public static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>Files by path.</summary>
    internal sealed class Files(Dictionary<string, string> files) : IHbaSource
    {
        public string? Read(string path) => files.GetValueOrDefault(path);

        public IReadOnlyList<string> List(string folder) => [.. files.Keys.Where(path => Path.GetDirectoryName(path) == folder)];
    }

    private sealed class NoFiles : IHbaSource
    {
        public string? Read(string path) => null;

        public IReadOnlyList<string> List(string folder) => [];
    }
}
