import "./story.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { usePage } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { params, text } from "@/ui/schema";
import { Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { ChapterItem } from "./ChapterItem";
import { keepPlace, placeIn } from "./place";
import { act, storyQuery } from "./queries";
import { SlackRoom } from "./SlackRoom";

const storySearch = params({ chapter: text(40) });

/** The demo's story: what happens, the button that makes it happen, and the page on which to see it. */
export function StoryPage() {
  const story = useSuspenseQuery(storyQuery(1000)).data;
  const client = useQueryClient();
  const [{ chapter: asked }, setSearch] = useUrlState(storySearch);
  const at = placeIn(story.chapters, asked);
  const here = story.chapters[at]?.key ?? "";
  const task = useTask({ run: act, onDone: (after) => client.setQueryData(storyQuery(1000).queryKey, after), failed: "That did not happen." });
  const done = story.chapters.filter((chapter) => chapter.done).length;
  usePage({ title: "Story", crumbs: [{ label: "Story" }] });
  useEffect(() => keepPlace(here), [here]);
  const open = (key: string) => setSearch({ chapter: key });
  return (
    <>
      <PageHeader title="Story" meta={`${done} of ${story.chapters.length} chapters have happened`} />
      <div className="pane story">
        <div className="grid gap-4 content-start min-w-0">
          <p className="muted max-w-[640px]">
            One push breaks production, and one fix reaches every machine. Everything here happens for real, on this computer: a build, an error, a message, a signature. Each chapter turns green when the server itself says so.
          </p>
          {story.trouble && <Notice kind="bad">{story.trouble}</Notice>}
          {!story.ready && !story.trouble && <Notice>The shop is being set up; a moment.</Notice>}
          <ol className="chapters" aria-label="Chapters">
            {story.chapters.map((chapter, index) => {
              const next = story.chapters[index + 1];
              return (
                <ChapterItem
                  key={chapter.key}
                  chapter={chapter}
                  number={index + 1}
                  open={index === at}
                  busy={task.busy}
                  onOpen={() => open(chapter.key)}
                  onAct={(name) => void task.start(name)}
                  onNext={next && (() => open(next.key))}
                />
              );
            })}
          </ol>
        </div>
        <SlackRoom slack={story.slack} />
      </div>
    </>
  );
}
