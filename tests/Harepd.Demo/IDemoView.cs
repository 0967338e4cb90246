namespace Harepd.Demo;

/// <summary>Where the demo tells what goes on.</summary>
internal interface IDemoView : IAsyncDisposable
{
    /// <summary>What is being done now, a short sentence.</summary>
    void Step(string text);

    /// <summary>What a step came to.</summary>
    void Report(DemoEvent happened);

    /// <summary>How the cluster looks now; called a few times a second.</summary>
    void Show(Snapshot snapshot);
}
