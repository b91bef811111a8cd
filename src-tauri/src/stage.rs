//! The stage: the call's pictures, painted over the page by GTK itself (Linux).
//!
//! The page reports where the pictures belong and what of its own lies above them: buttons, names,
//! menus. Media threads scale and convert each frame to the size it is shown at; the main loop only
//! copies it, after the webview has drawn, around everything the page keeps for itself. Nothing needs
//! to be transparent: WebKit's plain renderer never clears what was once painted (docs/decisions).
//! Only the newest frame of a tile is kept.

use gtk::{cairo, glib, prelude::*};
use sightline_media::{
    Frame, Painter, Tile, clock,
    picture::to_bgrx,
    scale::{Crop, Scaler},
};
use sightline_wire::desk::{Rect, StageLayout};
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tauri::WebviewWindow;

/// Corners of the agent's own picture, as the page draws them (`--radius-s`).
const OWN_RADIUS: f64 = 6.0;

thread_local! {
    /// The box around the webview; widgets live on the main thread only.
    static CANVAS: RefCell<Option<gtk::Box>> = const { RefCell::new(None) };
}

/// Paints over the page of one window.
pub struct Stage {
    layout: Mutex<StageLayout>,
    remote: Surface,
    own: Surface,
}

/// One tile's newest picture.
struct Surface {
    state: Mutex<Picture>,
    scaler: Mutex<(Scaler, Vec<u8>)>,
    queued: AtomicBool,
}

#[derive(Default)]
struct Picture {
    /// BGRx rows of `width * 4` bytes.
    pixels: Vec<u8>,
    /// In device pixels; 0 when there is no picture.
    width: u32,
    height: u32,
    /// Of the frame it was made of.
    shape: (u32, u32),
    /// Where it was to go.
    place: Option<Rect>,
    /// Not yet on the screen.
    fresh: bool,
    drawn: u64,
    first_drawn_at: Option<i64>,
}

impl Surface {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            scaler: Mutex::default(),
            queued: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Picture> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage {
    /// Paints after the page. Main thread only.
    pub fn install(window: &WebviewWindow) -> tauri::Result<Arc<Self>> {
        let stage = Arc::new(Self {
            layout: Mutex::default(),
            remote: Surface::new(),
            own: Surface::new(),
        });
        let canvas = window.default_vbox()?;
        let painted = stage.clone();
        let shape = RefCell::new(Shape::default());
        canvas.connect_local("draw", true, move |values| {
            let context = values.get(1).and_then(|value| value.get::<cairo::Context>().ok());
            if let Some(Err(error)) = context.map(|context| painted.draw(&context, &mut shape.borrow_mut())) {
                tracing::warn!(%error, "painting the stage");
            }
            Some(false.to_value())
        });
        CANVAS.set(Some(canvas));
        Ok(stage)
    }

    /// Where the pictures belong from now on.
    pub fn set_layout(&self, layout: StageLayout) {
        let before = std::mem::replace(&mut *self.layout(), layout.clone());
        if before != layout {
            glib::MainContext::default().invoke(|| with_canvas(WidgetExt::queue_draw));
        }
    }

    fn layout(&self) -> MutexGuard<'_, StageLayout> {
        self.layout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn surface(&self, tile: Tile) -> &Surface {
        match tile {
            Tile::Remote => &self.remote,
            Tile::Own => &self.own,
        }
    }

    /// Where a tile is at the moment, and the layout's scale.
    fn place(&self, tile: Tile) -> (Option<Rect>, f64) {
        let layout = self.layout();
        let rect = match tile {
            Tile::Remote => layout.remote,
            Tile::Own => layout.own,
        };
        (rect, device_scale(&layout))
    }

    fn draw(&self, context: &cairo::Context, shape: &mut Shape) -> Result<(), cairo::Error> {
        shape.follow(&self.layout());
        for (tile, place, visible) in [
            (Tile::Remote, shape.layout.remote, &shape.remote),
            (Tile::Own, shape.layout.own, &shape.own),
        ] {
            let surface = self.surface(tile);
            surface.queued.store(false, Relaxed);
            let (Some(place), Some(visible)) = (place, visible) else {
                continue;
            };
            let mut picture = surface.lock();
            // Without a picture the page shows what it has to say instead.
            if picture.width > 0 {
                context.save()?;
                clip(context, visible);
                draw_picture(context, &mut picture, place, device_scale(&shape.layout), tile)?;
                context.restore()?;
            }
        }
        Ok(())
    }

    fn queue(surface: &Surface, rect: Rect) {
        if surface.queued.swap(true, Relaxed) {
            return;
        }
        let (x, y) = (rect.x.floor() as i32, rect.y.floor() as i32);
        let (width, height) = (rect.width.ceil() as i32 + 1, rect.height.ceil() as i32 + 1);
        glib::MainContext::default().invoke(move || with_canvas(|canvas| canvas.queue_draw_area(x, y, width, height)));
    }
}

fn with_canvas(act: impl FnOnce(&gtk::Box)) {
    CANVAS.with_borrow(|canvas| {
        if let Some(canvas) = canvas {
            act(canvas);
        }
    });
}

/// Device pixels of one of the page's.
fn device_scale(layout: &StageLayout) -> f64 {
    layout.scale.max(0.5)
}

/// Where a picture of this shape goes: the customer's whole on black, the agent's own filling its tile.
fn placed(rect: Rect, (width, height): (u32, u32), tile: Tile) -> Rect {
    let (width, height) = (f64::from(width), f64::from(height));
    let (by_width, by_height) = (rect.width / width, rect.height / height);
    let scale = match tile {
        Tile::Remote => by_width.min(by_height),
        Tile::Own => by_width.max(by_height),
    };
    let (w, h) = (width * scale, height * scale);
    Rect {
        x: rect.x + (rect.width - w) / 2.0,
        y: rect.y + (rect.height - h) / 2.0,
        width: w,
        height: h,
    }
}

/// The size a picture is prepared at: the device pixels its place touches, rounded up to even.
fn prepared(place: Rect, scale: f64) -> (u32, u32) {
    let touched = |from: f64, length: f64| {
        let pixels = ((from + length) * scale).ceil() - (from * scale).floor();
        (pixels as u32).next_multiple_of(2).max(2)
    };
    (touched(place.x, place.width), touched(place.y, place.height))
}

fn draw_picture(
    context: &cairo::Context,
    picture: &mut Picture,
    rect: Rect,
    scale: f64,
    tile: Tile,
) -> Result<(), cairo::Error> {
    context.set_source_rgb(0.0, 0.0, 0.0);
    context.paint()?;
    let place = placed(rect, picture.shape, tile);
    let stride = (picture.width * 4) as i32;
    // One that was prepared for this place is copied pixel by pixel, which takes a fraction of fitting it. One
    // for another place is fitted until the next comes.
    let filter = if picture.place == Some(place) {
        context.translate((place.x * scale).floor() / scale, (place.y * scale).floor() / scale);
        context.scale(1.0 / scale, 1.0 / scale);
        cairo::Filter::Nearest
    } else {
        context.translate(place.x, place.y);
        context.scale(
            place.width / f64::from(picture.width),
            place.height / f64::from(picture.height),
        );
        cairo::Filter::Bilinear
    };
    // SAFETY: `pixels` holds `height` rows of `stride` bytes and is not touched while the lock that gave
    // us `picture` is held; the surface is finished before it is released.
    let surface = unsafe {
        let (w, h) = (picture.width as i32, picture.height as i32);
        cairo::ImageSurface::create_for_data_unsafe(picture.pixels.as_mut_ptr(), cairo::Format::Rgb24, w, h, stride)?
    };
    context.set_source_surface(&surface, 0.0, 0.0)?;
    context.source().set_filter(filter);
    context.paint()?;
    context.set_source_rgb(0.0, 0.0, 0.0);
    surface.finish();
    if std::mem::take(&mut picture.fresh) {
        picture.drawn += 1;
        picture.first_drawn_at.get_or_insert_with(|| {
            tracing::debug!(?tile, "the first picture is drawn");
            clock::unix_ms()
        });
    }
    Ok(())
}

/// As people expect to see themselves. `pixels`: BGRx rows of `width`.
fn mirror(pixels: &mut [u8], width: u32) {
    for row in pixels.chunks_exact_mut(width as usize * 4) {
        row.as_chunks_mut::<4>().0.reverse();
    }
}

/// What is seen of each tile: whole pixels, made anew only when the layout changes.
#[derive(Default)]
struct Shape {
    layout: StageLayout,
    remote: Option<cairo::Region>,
    own: Option<cairo::Region>,
}

impl Shape {
    fn follow(&mut self, layout: &StageLayout) {
        if self.layout == *layout {
            return;
        }
        self.layout = layout.clone();
        let shaped = |rect: Rect, radius: f64| cairo::Region::create_rectangles(&rows(rect, radius));
        self.remote = layout.remote.map(|rect| shaped(rect, 0.0));
        self.own = layout.own.map(|rect| shaped(rect, OWN_RADIUS));
        // These fail only when memory runs out.
        let mut done = true;
        for above in &layout.above {
            let above = shaped(above.rect, above.radius);
            for tile in self.remote.iter().chain(&self.own) {
                done &= tile.subtract(&above).is_ok();
            }
        }
        if let (Some(remote), Some(own)) = (&self.remote, &self.own) {
            done &= remote.subtract(own).is_ok();
        }
        if !done {
            tracing::warn!("the stage's shape is not exact");
        }
    }
}

/// The whole pixels a rectangle touches.
fn pixels(rect: Rect) -> cairo::RectangleInt {
    let (x, y) = (rect.x.floor() as i32, rect.y.floor() as i32);
    let (right, bottom) = (
        (rect.x + rect.width).ceil() as i32,
        (rect.y + rect.height).ceil() as i32,
    );
    cairo::RectangleInt::new(x, y, right - x, bottom - y)
}

/// A rectangle with round corners as rows of pixels.
fn rows(rect: Rect, radius: f64) -> Vec<cairo::RectangleInt> {
    let radius = radius.min(rect.width / 2.0).min(rect.height / 2.0).max(0.0);
    if radius < 1.0 {
        return vec![pixels(rect)];
    }
    let straight = Rect {
        y: rect.y + radius,
        height: rect.height - 2.0 * radius,
        ..rect
    };
    let mut rows = vec![pixels(straight)];
    for step in 0..radius.ceil() as i32 {
        // The middle of the row, seen from the corner's centre.
        let up = (radius - f64::from(step) - 0.5).max(0.0);
        let inset = radius - (radius * radius - up * up).sqrt();
        let (x, width) = (rect.x + inset, rect.width - 2.0 * inset);
        for y in [rect.y + f64::from(step), rect.y + rect.height - f64::from(step) - 1.0] {
            rows.push(pixels(Rect {
                x,
                y,
                width,
                height: 1.0,
            }));
        }
    }
    rows
}

fn clip(context: &cairo::Context, region: &cairo::Region) {
    for n in 0..region.num_rectangles() {
        let part = region.rectangle(n);
        context.rectangle(
            part.x().into(),
            part.y().into(),
            part.width().into(),
            part.height().into(),
        );
    }
    context.clip();
}

impl Painter for Stage {
    fn paint(&self, tile: Tile, frame: Option<Arc<Frame>>) {
        let surface = self.surface(tile);
        let (rect, scale) = self.place(tile);
        let Some(frame) = frame else {
            *surface.lock() = Picture::default();
            if let Some(rect) = rect {
                Self::queue(surface, rect);
            }
            return;
        };
        // Nobody sees it: no need to convert it.
        let Some(rect) = rect else { return };
        let shape = (frame.width, frame.height);
        let place = placed(rect, shape, tile);
        let (width, height) = prepared(place, scale);
        let mut spare = surface.scaler.lock().unwrap_or_else(PoisonError::into_inner);
        let (scaler, pixels) = &mut *spare;
        let scaled = (shape != (width, height)).then(|| scaler.scale(&frame, Crop::whole(&frame), width, height));
        let shown = scaled.as_ref().unwrap_or(&frame);
        pixels.resize((width * height * 4) as usize, 0);
        to_bgrx(shown, pixels, width * 4);
        if tile == Tile::Own {
            mirror(pixels, width);
        }
        let mut picture = surface.lock();
        std::mem::swap(&mut picture.pixels, pixels);
        (picture.width, picture.height, picture.fresh) = (width, height, true);
        (picture.shape, picture.place) = (shape, Some(place));
        drop(picture);
        Self::queue(surface, rect);
    }

    fn drawn(&self, tile: Tile) -> (u64, Option<i64>) {
        let picture = self.surface(tile).lock();
        (picture.drawn, picture.first_drawn_at)
    }
}
