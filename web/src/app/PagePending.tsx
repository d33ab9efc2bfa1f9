import { Skeleton, SkeletonRows } from "@/ui/Skeleton";

/** The first load of a page: a header and rows where the real ones will be. */
export function PagePending() {
  return (
    <>
      <div className="head" aria-hidden="true">
        <div className="top">
          <Skeleton width={180} height={14} />
        </div>
        <div className="bottom bare" />
      </div>
      <SkeletonRows />
    </>
  );
}
